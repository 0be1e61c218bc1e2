"""The arithmetic, one operation a module, each beside a reference a person can read. Knows arrays, no models.

``backend`` decides which arithmetic runs. ``sums`` fixes the order of every sum, ``elementwise`` the
functions between them, ``rule`` judges the first spike, ``synapses`` owns weights; ``lstm`` and ``leaky``
hold a reference, a cell and a compiled run each, and ``one_sample`` steps one sample at a time.
"""
