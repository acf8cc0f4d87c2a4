"""Which changes a reload applies, and which need a restart."""

from dataclasses import replace
from pathlib import Path

from interpose.app.reload import needs_restart
from interpose.app.settings import AuditSettings, IdentitySettings, LimitSettings, RecordingSettings, Settings
from interpose.identity.oidc_options import OidcOptions
from interpose.identity.saml_options import SamlOptions
from interpose.identity.workload_options import WorkloadOptions


def settings() -> Settings:
    """Some settings."""
    return Settings(Path("/c.yaml"), Path("/state"), Path("/policy"), Path("/principals.yaml"), (), ())


def test_nothing_changed_needs_nothing() -> None:
    assert needs_restart(settings(), settings()) == []


def test_what_a_reload_applies_needs_no_restart() -> None:
    new = replace(
        settings(),
        policy=Path("/other"),
        principals=Path("/others.yaml"),
        limits=LimitSettings(sessions=7, max_message=100),
        recording=RecordingSettings(retention=1.0),
        audit=AuditSettings(retention=2.0),
        identity=IdentitySettings(
            (
                WorkloadOptions("ci", "https://issuer.example", ("interpose",)),
                OidcOptions("corporate", "https://issuer.example", "interpose"),
                SamlOptions("partner", Path("/partner.xml")),
            )
        ),
    )
    assert needs_restart(settings(), new) == []


def test_what_it_cannot_apply_is_named() -> None:
    new = replace(
        settings(),
        workers=2,
        state=Path("/elsewhere"),
        limits=LimitSettings(handshake=1.0),
        recording=RecordingSettings(result_cap=1),
        audit=AuditSettings(checkpoint_copy=Path("/copy")),
    )
    assert needs_restart(settings(), new) == ["audit", "limits", "recording", "state", "workers"]
