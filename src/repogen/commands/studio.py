"""`repogen studio`: look at scenes, change them by hand and save them, on a page."""

from pathlib import Path

from tyro.conf import Positional

from repogen.commands.parsing import Commands, Flat
from repogen.datasets.sources import SourcesConfig


def commands(_words: list[str]) -> Commands:
    return command


def command(
    opened: Positional[Path | None] = None,
    weights: Path | None = None,
    out: Path = Path("studio"),
    host: str = "127.0.0.1",
    port: int = 8571,
    sources: Flat[SourcesConfig] = SourcesConfig(),  # noqa: B008
) -> int:
    """Serve a page on which scenes are looked at, posed, lit and saved.

    Args:
        opened: A dataset to browse, a TOML file of options as for generate --config, or the JSON
            file of a scene; without it, the default options.
        weights: Show what these weights find, and its OKS: rare-thunder, rare-lightning, thunder,
            lightning, a run of repogen train, a folder, .safetensors, .pth or .onnx.
        out: Folder to save to.
        host: Address to listen on. Beyond 127.0.0.1 the page's address has a token; whoever has it
            can write files into OUT.
        port: Port to listen on, 0 for any that is free.
    """
    from repogen.studio.run import run_studio

    run_studio(opened, sources, weights, out, host, port)
    return 0
