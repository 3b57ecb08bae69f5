"""Models of the Hugging Face hub."""

from pathlib import Path

from repogen.errors import UserError

_REASONS = {
    "GatedRepoError": "its licence must be accepted on huggingface.co first",
    "LocalEntryNotFoundError": "the hub cannot be reached, and it was not downloaded before",
    "RepositoryNotFoundError": "there is no such model, or it is private",
}
"""What the errors of huggingface_hub mean; others are named by their class."""


def hub_folder(name: str, otherwise: str) -> Path:
    """The local folder of a model of the Hugging Face hub, downloaded unless it is in the cache.

    Only JSON and safetensors are downloaded. Raises `UserError` where that fails; `otherwise` is
    the message before the reason.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors"]))
    except Exception as error:  # many classes: no network, no such name, licence not accepted
        kind = type(error).__name__
        raise UserError(
            f"{otherwise}, and cannot be downloaded from the Hugging Face hub: "
            f"{_REASONS.get(kind, kind)}; give a folder of it"
        ) from error
