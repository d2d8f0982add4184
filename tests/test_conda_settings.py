"""Channels as .condarc describes them; credentials stay hidden."""

from __future__ import annotations

import pytest

from jupyter_gpu_kernels.build.conda.settings import Channel, ChannelSettings, redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:secret@host/conda", "https://***@host/conda"),
        ("https://user:p@ss@host:8443/conda?x=1", "https://***@host:8443/conda?***"),
        ("https://host/t/tk-123-abc/conda-forge", "https://host/t/***/conda-forge"),
        (
            "error for url (https://host/t/tk-1/linux-64/a.conda?sig=abc): 403",
            "error for url (https://host/t/***/linux-64/a.conda?***): 403",
        ),
        ("http://u:p@a/x and http://u:p@b/y", "http://***@a/x and http://***@b/y"),
        ("https://host/path@1.0/t", "https://host/path@1.0/t"),
        ("/t/no-url", "/t/no-url"),
        ("conda-forge", "conda-forge"),
    ],
)
def test_credentials_are_hidden_wherever_a_url_stands(text: str, shown: str) -> None:
    assert redact(text) == shown


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
