"""The drawings and sliders of single notebooks, one module a topic."""
