"""The command line: one verb for each public function that makes or reads files."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from repogen.errors import UserError, choose

VERBS = {
    "generate": "write a dataset of synthetic people",
    "preview": "contact sheet and figures of a dataset",
    "validate": "check a dataset against everything it promises",
    "rerender": "make single images of a dataset again",
    "train": "fine-tune a pose estimator on real and synthetic people",
    "evaluate": "score weights on sets of labelled people",
    "predict": "poses in pictures and videos",
    "weights": "convert, export to ONNX or blend weights",
    "assets": "install packs of clothes, hair and panoramas",
    "views": "which camera views a COCO-keypoints file holds",
    "info": "what this installation offers, or what a dataset holds",
}

_RESUMABLE = ("generate", "train")

_EXTRAS = {
    "accelerate": "train",
    "tensorboard": "train",
    "transformers": "train",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "onnxscript": "onnx",
}
"""Which extra brings a library that not every installation has."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 a check failed, 2 bad input, 130 Ctrl-C,
    141 when nobody reads what it prints any more (`| head`)."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = _run(words)
        sys.stdout.flush()
        return code
    except UserError as error:
        return _refuse(str(error))
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(error.name or "")
        if extra is None:
            raise
        return _refuse(f"{words[0]} needs {error.name}; pip install 'repogen[{extra}]'")
    except KeyboardInterrupt:
        again = "; run the same command again to go on" if words[0] in _RESUMABLE else ""
        print(f"repogen: stopped{again}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python's own last flush fails again
        return 141


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_usage())
        return 0
    if words[0] == "--version":
        from importlib.metadata import version

        print(f"repogen {version('repogen')}")
        return 0
    if words[0] not in VERBS:
        raise choose("command", words[0], VERBS)
    verb: Callable[[list[str]], int] = globals()[f"_{words[0]}"]
    return verb(words[1:])


def _refuse(why: str) -> int:
    print(f"repogen: error: {why}", file=sys.stderr)
    return 2


def _usage() -> str:
    verbs = "\n".join(f"  {verb:<10} {text}" for verb, text in VERBS.items())
    return (
        "usage: repogen COMMAND …\n\nSynthetic people in rare poses and from rare views, with "
        f"exact COCO keypoints.\n\n{verbs}\n\nrepogen COMMAND --help lists a command's options."
    )


def _parse(verb: str, function: Callable[..., Any], words: list[str]) -> Any:
    """tyro's parser, its framed error messages folded into one of our lines."""
    import contextlib
    import io

    import tyro

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return tyro.cli(function, prog=f"repogen {verb}", args=words)
    except SystemExit as end:
        if end.code != 2:
            raise
        raise UserError(f"{_folded(said.getvalue())}; see repogen {verb} --help") from None


def _folded(framed: str) -> str:
    lines = [line.strip(" │╭╮╰╯") for line in framed.splitlines()]
    blocks: list[list[str]] = [[]]
    for line in lines[1:]:
        if line and set(line) <= set("-─"):
            blocks.append([])
        elif line:
            blocks[-1].append(line)
    return " ".join(next((block for block in blocks if block), lines)).rstrip(".")


def _generate(words: list[str]) -> int:
    from tyro.conf import OmitArgPrefixes, Positional, arg

    from repogen.generation.config import PRESETS, GenerateConfig
    from repogen.generation.loop import generate
    from repogen.generation.options import config_from_table, read_config

    table: dict[str, Any] = {}
    preset, file = _value_of(words, "--preset"), _value_of(words, "--config")
    if preset is not None:
        if preset not in PRESETS:
            raise choose("preset", preset, PRESETS)
        table |= PRESETS[preset]
    if file is not None:
        table |= read_config(Path(file))
    default = config_from_table(table, f"--config {file}")

    def command(
        out: Annotated[
            Positional[Path], arg(help="The dataset's folder; a half-made one is finished.")
        ],
        options: Annotated[GenerateConfig, OmitArgPrefixes] = default,
        preset: Annotated[str | None, arg(help="Options by name: " + ", ".join(PRESETS))] = None,
        config: Annotated[Path | None, arg(help="A TOML file with any of these options.")] = None,
    ) -> tuple[Path, GenerateConfig]:
        """Write a dataset of synthetic people. Options given here win over --config, that over
        --preset."""
        return out, options  # fmt: skip

    out, config = _parse("generate", command, words)
    print(generate(out, config))
    return 0


def _value_of(words: list[str], flag: str) -> str | None:
    for place, word in enumerate(words):
        if word == flag and place + 1 < len(words):
            return words[place + 1]
        if word.startswith(flag + "="):
            return word.split("=", 1)[1]
    return None


def _preview(words: list[str]) -> int:
    from tyro.conf import Positional

    from repogen.viewing import preview

    def command(
        dataset: Positional[Path], out: Path | None = None, images: int = 48, columns: int = 8
    ) -> Path:
        """Write a contact sheet, figures and one HTML page of a dataset.

        Args:
            dataset: A finished dataset.
            out: Where to write; by default DATASET/preview.
            images: How many pictures to show, evenly spread.
            columns: Pictures in a row.
        """
        if images < 1 or columns < 1:
            raise UserError(f"--images {images} and --columns {columns} must be at least 1")
        return preview(dataset, out, images, columns)

    print(_parse("preview", command, words))
    return 0


def _validate(words: list[str]) -> int:
    from tyro.conf import Positional

    from repogen.generation.rerender import validate

    def command(dataset: Positional[Path], rerender: int = 3) -> list[str]:
        """Check a dataset; exit code 1 and a list of what is broken.

        Args:
            dataset: A finished dataset.
            rerender: How many images to make again and compare byte for byte.
        """
        return validate(dataset, rerender)

    problems = _parse("validate", command, words)
    print("\n".join(problems) or "every promise holds")
    return 1 if problems else 0


def _rerender(words: list[str]) -> int:
    from tyro.conf import Positional

    from repogen.generation.rerender import rerender

    def command(
        dataset: Positional[Path], ids: tuple[int, ...], out: Path = Path("rerendered")
    ) -> list[Path]:
        """Make single images again, from their lines of scenes.jsonl alone.

        Args:
            dataset: A finished dataset.
            ids: Image ids, from 1.
            out: Folder to write to.
        """
        return rerender(dataset, ids, out)

    print("\n".join(map(str, _parse("rerender", command, words))))
    return 0


def _train(words: list[str]) -> int:
    from tyro.conf import OmitArgPrefixes

    from repogen.training.config import TrainConfig
    from repogen.training.loop import train

    def command(options: Annotated[TrainConfig, OmitArgPrefixes]) -> TrainConfig:
        """Fine-tune a pose estimator, or train a tiny one, on real and synthetic people."""
        return options

    print(train(_parse("train", command, words)))
    return 0


def _evaluate(words: list[str]) -> int:
    from tyro.conf import OmitArgPrefixes

    from repogen.evaluation.config import EvaluateConfig
    from repogen.evaluation.page import report_text
    from repogen.evaluation.report import evaluate

    def command(options: Annotated[EvaluateConfig, OmitArgPrefixes]) -> EvaluateConfig:
        """Score models on sets of labelled people, and compare them."""
        return options

    print(report_text(evaluate(_parse("evaluate", command, words))))
    return 0


def _predict(words: list[str]) -> int:
    from tyro.conf import OmitArgPrefixes, Positional

    from repogen.inference.options import PredictOptions

    def command(
        inputs: Positional[tuple[Path, ...]],
        weights: Path,
        options: Annotated[PredictOptions, OmitArgPrefixes],
        out: Path = Path("predicted"),
    ) -> tuple[tuple[Path, ...], Path, PredictOptions, Path]:
        """Find poses in pictures and videos: COCO results, drawings, files for annotators.

        Args:
            inputs: Images, folders of images and videos, videos.
            weights: A run, a folder, .safetensors, .pth or .onnx.
            out: Folder to write results.json and drawn/ to.
        """
        return inputs, weights, options, out

    inputs, weights, options, out = _parse("predict", command, words)
    from repogen.inference.network import load_estimator
    from repogen.inference.predict import predict

    print(predict(load_estimator(weights), inputs, out, options, str(weights)))
    return 0


def _weights(words: list[str]) -> int:
    from functools import partial

    from tyro.conf import Positional, subcommand

    Work = Callable[[], Path]

    def convert(source: Positional[Path], out: Positional[Path]) -> Work:
        """Change the format of weights.

        Args:
            source: A run, a Hugging Face folder, .safetensors, or a .pth of ViTPose or MAE.
            out: A file ending in .safetensors, or a folder for transformers.
        """
        from repogen.models.convert import convert_weights

        return partial(convert_weights, source, out)

    def export(source: Positional[Path], out: Positional[Path]) -> Work:
        """Write a network as ONNX: RGB crops (n, 256, 192, 3) as bytes in, heatmaps out.

        Args:
            source: A run, a folder, .safetensors or .pth.
            out: A file ending in .onnx; predict and evaluate run it too.
        """
        from repogen.models.onnx import export_weights

        return partial(export_weights, source, out)

    def blend(
        initial: Positional[Path], tuned: Positional[Path], out: Positional[Path], alpha: float
    ) -> Work:
        """Interpolate between weights before and after fine-tuning.

        Args:
            initial: What the training began with: a run, a folder, .safetensors or .pth.
            tuned: What came of it.
            out: A file ending in .safetensors.
            alpha: Share of the tuned weights, 0 to 1.
        """
        from repogen.models.convert import blend_weights

        return partial(blend_weights, initial, tuned, out, alpha)

    commands: Any = (
        Annotated[Any, subcommand("convert", constructor=convert)]
        | Annotated[Any, subcommand("export", constructor=export)]
        | Annotated[Any, subcommand("blend", constructor=blend)]
    )
    print(_parse("weights", commands, words)())
    return 0


def _assets(words: list[str]) -> int:
    from tyro.conf import Positional, subcommand

    Work = Callable[[], int]

    def list_() -> Work:
        """What is installed, and under which licences."""

        def work() -> int:
            from repogen.assets import installed, packs_text

            print(packs_text(installed()))
            return 0

        return work

    def add(name: Positional[str], licence: str | None = None) -> Work:
        """Install a pack, in the place of an older one of the same name.

        Args:
            name: makehuman, environments, or a folder or .zip of MakeHuman clothes or panoramas.
            licence: Take items of makehuman under other licences than CC0, too: how the licence
                begins, or any.
        """

        def work() -> int:
            from repogen.assets import add, packs_text

            added = add(name, licence)
            for line in added.left_out:
                print(f"repogen: left out: {line}", file=sys.stderr)
            print(packs_text({added.pack.name: added.pack}))
            return 0

        return work

    def remove(name: Positional[str]) -> Work:
        """Delete a pack.

        Args:
            name: A pack that list names.
        """

        def work() -> int:
            from repogen.assets import remove

            remove(name)
            return 0

        return work

    def check() -> Work:
        """Look for files that are missing or have changed; exit code 1 and a list of them."""

        def work() -> int:
            from repogen.assets import check

            problems = check()
            print("\n".join(problems) or "every file is as it was installed")
            return 1 if problems else 0

        return work

    commands: Any = (
        Annotated[Any, subcommand("list", constructor=list_)]
        | Annotated[Any, subcommand("add", constructor=add)]
        | Annotated[Any, subcommand("remove", constructor=remove)]
        | Annotated[Any, subcommand("check", constructor=check)]
    )
    return _parse("assets", commands, words)()


def _views(words: list[str]) -> int:
    from tyro.conf import Positional

    from repogen.viewpoints.charting import chart_views, views_text

    def command(
        annotations: Positional[Path], out: Path = Path("views"), min_joints: int = 6
    ) -> tuple[Path, Path, int]:
        """Chart where the people of a COCO-keypoints file were seen from.

        Args:
            annotations: A COCO-keypoints file, or a dataset of ours; no image is needed.
            out: A folder to write views.json, sphere.png and bands.png to.
            min_joints: Persons with fewer labelled joints are left out.
        """
        return annotations, out, min_joints

    annotations, out, min_joints = _parse("views", command, words)
    print(views_text(chart_views(annotations, out, min_joints)))
    print(f"\n{out / 'sphere.png'}, {out / 'bands.png'}, {out / 'views.json'}")
    return 0


def _info(words: list[str]) -> int:
    from tyro.conf import Positional

    from repogen.viewing.info import info

    def command(dataset: Positional[Path | None] = None, plausibility: int = 0) -> str:
        """What this installation offers, or what a dataset holds.

        Args:
            dataset: A finished dataset; without one the installation is described.
            plausibility: Measure this many random poses (100: about a minute) of every
                distribution and variance: how much skin is inside the body, and how many degrees
                joints are beyond the human range.
        """
        return info(dataset, plausibility)

    print(_parse("info", command, words))
    return 0
