"""Generators: apart by role, alike everywhere."""

from rc_vs_snn.seeds import generator_for, sample_generators, seed_for


def test_a_seed_is_the_same_on_every_platform():
    # Fixed numbers: a change of the derivation would silently change every published result.
    assert seed_for(0, "weights", "rc-lstm") == 493896271297088571
    assert seed_for(1, "shuffle", 3) == 3613257571486813897


def test_base_role_and_names_all_matter_and_do_not_run_together():
    seeds = [seed_for(0, "a"), seed_for(1, "a"), seed_for(0, "b"), seed_for(0, "a", "b"), seed_for(0, "ab")]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_generators_repeat():
    assert generator_for(3, "x").random() == generator_for(3, "x").random()


def test_a_samples_stream_does_not_depend_on_its_neighbours():
    alone = next(iter(sample_generators(7, [5]))).random(4)
    among = [generator.random(4) for generator in sample_generators(7, [1, 5, 9])]
    assert (alone == among[1]).all()
    assert (among[0] != among[1]).all()
