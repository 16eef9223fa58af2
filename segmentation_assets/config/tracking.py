"""The settings of experiment tracking: whether and where the records of runs are sent besides the data folder."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from segmentation_assets.config.section import Section

_DATABASES = r"(sqlite|postgresql|mysql|mssql)(\+[a-z0-9_]+)?"
_ADDRESS = re.compile(rf"(https?|{_DATABASES})://\S+")


def _check_address(address: SecretStr) -> SecretStr:
    """Accept tracking servers and databases; the message does not repeat what came."""
    text = address.get_secret_value()
    if text and not text.strip("*"):
        raise ValueError("asterisks stand for a secret that is not shown; give the value itself, or leave the key out")
    if not _ADDRESS.fullmatch(text):
        raise ValueError(
            "it is neither a tracking server (https://…, http://…) nor a database (sqlite:///FILE, postgresql://…)"
        )
    if text.startswith("http") and "@" in urlsplit(text).netloc:
        raise ValueError(
            "a user name inside the address is not supported; MLflow reads MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD"
        )
    return address


class MlflowSettings(Section):
    """MLflow, which receives the records of models and clusterings. Needs the extra ``mlflow``."""

    enabled: bool = Field(False, description="whether what a run makes is sent to MLflow when the run has ended")
    tracking_uri: Annotated[SecretStr, AfterValidator(_check_address)] | None = Field(
        None,
        description="tracking server or database; a secret, as it may hold a password, best given in "
        "SEGMENTATION__TRACKING__MLFLOW__TRACKING_URI; for example http://localhost:5000 or sqlite:///mlflow.db",
    )
    experiment: str = Field("segmentation", min_length=1, description="experiment that the runs belong to")
    timeout_seconds: int = Field(10, ge=1, le=300, description="seconds a request to a tracking server may take")

    @model_validator(mode="after")
    def _check_complete(self) -> "MlflowSettings":
        if self.enabled and self.tracking_uri is None:
            raise ValueError("MLflow needs tracking_uri, the address of a tracking server or a database")
        return self

    @property
    def address(self) -> str:
        """The address as it is."""
        return self.tracking_uri.get_secret_value() if self.tracking_uri else ""

    @property
    def shown_address(self) -> str:
        """Kind and server of the address, without what may be secret."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")


class TrackingSettings(Section):
    """Where the records of runs go besides ``runs`` below the data folder; nowhere by default."""

    mlflow: MlflowSettings = MlflowSettings()
