"""The DSL: symbolic tensors, scopes that name them, networks with parameters."""
