from .animation import show_animation
from .decision import show_decision
from .encoders import show_encoders
from .samples import show_samples

__all__ = ["show_animation", "show_decision", "show_encoders", "show_samples"]
