"""The plan: everything the C will do, decided before any C is written."""
