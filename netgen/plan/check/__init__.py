"""The independent checker: a plan is accepted, or its fault is named."""
