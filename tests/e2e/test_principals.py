"""`interpose principals`: who is disabled loses live sessions within five seconds, and comes back when enabled."""

from __future__ import annotations

import json

import psycopg
import pytest

from tests.support.scene import Scene, until


def test_who_is_disabled_is_out_and_may_come_back(scene: Scene) -> None:
    with scene.connect("bob", "shop") as session:
        assert session.execute("select 1").fetchone() == (1,)
        told = scene.gateway.interpose("principals", "disable", "bob", "--reason", "laptop stolen").stdout
        assert "within five seconds" in told

        def ended() -> bool:
            try:
                session.execute("select 1")
            except psycopg.Error as error:
                return "principal does not exist any more or is disabled" in str(error)
            return False

        until(ended, 5, "the end of the session")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        scene.connect("bob", "shop")
    listed = {each["name"]: each for each in json.loads(scene.gateway.interpose("principals", "list", "--json").stdout)}
    assert listed["bob"]["disabled"] == "laptop stolen"
    assert listed["alice"]["disabled"] == "" and listed["alice"]["groups"] == ["support"]
    scene.gateway.interpose("principals", "enable", "bob")

    def again() -> bool:
        try:
            scene.connect("bob", "shop").close()
        except psycopg.OperationalError:
            return False
        return True

    until(again, 5, "the return")
