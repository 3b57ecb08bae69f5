from .catalog import MODELS as MODELS
from .catalog import build_model as build_model
