"""netgen turns small convolutional networks into portable, fast C."""

__version__ = "0.1.0"
