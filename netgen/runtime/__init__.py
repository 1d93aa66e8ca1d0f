"""C text to compiled model: compiler, processor features, cache, library, model, photos."""
