"""One alert, and its text. Does not belong here: what happened (`events`), how it is sent (`mail`, `webhooks`)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from pipelines.settings import AlertEvent


class Alert(BaseModel):
    """One event as it is told: subject, a sentence, facts by name, the next step, and where the runbook says more.

    `key` is the same for what need not be told twice.
    """

    model_config = ConfigDict(frozen=True)

    event: AlertEvent | None
    key: str
    subject: str
    sentence: str
    facts: list[tuple[str, str]]
    next_step: str
    runbook: str | None = None

    @property
    def text(self) -> str:
        """All but the subject, as plain text."""
        return "\n\n".join([self.sentence, "\n".join(f"{name}: {value}" for name, value in self.facts), *self.what_now])

    @property
    def what_now(self) -> list[str]:
        """The next step, and where the runbook says more."""
        return [f"Next: {self.next_step}", *([f"Runbook: {self.runbook}"] if self.runbook else [])]
