"""Models of the Hugging Face hub."""

from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath

from repogen.errors import UserError
from repogen.network import within_limit

_SUFFIXES = (".json", ".safetensors")

_REASONS = {
    "GatedRepoError": "its licence must be accepted on huggingface.co first",
    "LocalEntryNotFoundError": "the hub cannot be reached, and it was not downloaded before",
    "RepositoryNotFoundError": "there is no such model, or it is private",
}
"""What the errors of huggingface_hub mean; others are named by their class."""


def hub_folder(name: str, otherwise: str) -> Path:
    """The local folder of a model of the Hugging Face hub, downloaded unless it is in the cache.

    Only JSON and safetensors are downloaded. Without a network the folder in the cache is taken.
    Raises `UserError` where that fails; `otherwise` is the message before the reason.
    """
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download

    address = f"{HfApi().endpoint}/{name}"
    try:
        info = within_limit(lambda: HfApi().model_info(name), address)
    except Exception as error:  # many classes: no network, no such name, licence not accepted
        with suppress(Exception):
            return Path(snapshot_download(name, local_files_only=True))
        raise _refused(otherwise, error) from error
    files = [file.rfilename for file in info.siblings or () if file.rfilename.endswith(_SUFFIXES)]
    try:
        for file in files:
            # One by one: a pool of threads would keep the process alive after the limit.
            path: str = within_limit(
                partial(hf_hub_download, name, file, revision=info.sha),
                f"{address}/{file}",
                lambda: _bytes_in_cache(name),
            )
            folder = Path(path).parents[len(PurePosixPath(file).parts) - 1]
    except Exception as error:
        raise _refused(otherwise, error) from error
    if not files:
        raise UserError(f"{otherwise}, and {address} holds no safetensors; give a folder of it")
    return folder


def _bytes_in_cache(name: str) -> int:
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE, f"models--{name.replace('/', '--')}", "blobs")
    return sum(path.stat().st_size for path in folder.glob("*"))


def _refused(otherwise: str, error: Exception) -> UserError:
    if isinstance(error, UserError):
        return UserError(f"{otherwise}, and {error}; or give a folder of it")
    kind = type(error).__name__
    return UserError(
        f"{otherwise}, and cannot be downloaded from the Hugging Face hub: "
        f"{_REASONS.get(kind, kind)}; give a folder of it"
    )
