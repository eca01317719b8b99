"""The functions of ``nn.functional`` by family; ``nn.functional`` is their public address."""
