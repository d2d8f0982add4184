"""Channels as .condarc describes them; credentials stay hidden."""

from __future__ import annotations

from jupyter_gpu_kernels.build.conda.settings import Channel, ChannelSettings


def test_names_become_urls_as_condarc_says() -> None:
    settings = ChannelSettings(
        channels=("defaults", "conda-forge/label/dev", "lab/testing", "https://u:p@host/own/", "main-mirror"),
        channel_alias="https://alias.example/conda/",
        custom_channels={"conda-forge": "https://mirror.example/c", "lab": "https://a", "lab/testing": "https://b"},
        custom_multichannels={"defaults": ("https://mirror.example/main", "main-mirror")},
    )
    assert settings.resolved() == (
        Channel("https://mirror.example/main", "https://mirror.example/main"),
        Channel("main-mirror", "https://alias.example/conda/main-mirror"),
        Channel("conda-forge/label/dev", "https://mirror.example/c/conda-forge/label/dev"),
        Channel("lab/testing", "https://b/lab/testing"),
        Channel("https://***@host/own", "https://u:p@host/own"),
    )


def test_without_an_alias_names_are_left_to_the_solver() -> None:
    assert ChannelSettings(channels=("conda-forge",)).resolved() == (Channel("conda-forge", "conda-forge"),)
