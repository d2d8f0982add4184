"""Conda's configuration: where its files lie, what each says, and what counts where several say something."""
