"""gateway.toml: what it may say, and what is said of what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from blechannel.delivery.policies import Latest, Ordered
from blechannel_gateway.errors import ConfigError
from blechannel_gateway.plan import Bridged, By, Plan

LEAST = """
site = "home"
gateway = "hall"
[broker]
url = "mqtt://broker.example"
"""
UP = '[[up]]\nport = "heart-rate"\n'


def load(folder: Path, text: str) -> Plan:
    file = folder / "gateway.toml"
    file.write_text(text)
    return Plan.load(file)


def test_the_least(tmp_path: Path) -> None:
    plan = load(tmp_path, LEAST + UP)
    assert (plan.site, plan.gateway, plan.store) == ("home", "hall", tmp_path / "gateway.db")
    assert (plan.broker.host, plan.broker.port, plan.broker.is_tls) == ("broker.example", 1883, False)
    assert plan.up == (Bridged("heart-rate"),)
    assert plan.policies() == {"heart-rate": Ordered(max_bytes=1024 * 1024)}


def test_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("open sesame\n")
    text = """
    site = "home"
    gateway = "hall"
    store = "kept/gateway.db"
    outbox = "kept/gateway.outbox"
    [broker]
    url = "mqtts://broker.example:9883"
    protocol = "3.1.1"
    ca = "ca.pem"
    certificate = "hall.pem"
    key = "hall.key"
    username = "hall"
    password_file = "password"
    keepalive_s = 10
    session_expiry_s = 60
    answer_s = 2.5
    [[up]]
    port = "heart-rate"
    by = "profile"
    [[up]]
    port = "journal"
    schema = "text/plain"
    policy = "latest"
    ttl_s = 60
    [[down]]
    port = "note"
    by = "port"
    [keep]
    first_s = 1
    most_s = 30.0
    [limits]
    messages = 10
    lane_bytes = 1000
    message_bytes = 100
    window = 2
    """
    plan = load(tmp_path, text)
    broker = plan.broker
    assert (broker.port, broker.is_tls, broker.is_mqtt_5, broker.keepalive_s) == (9883, True, False, 10)
    assert (broker.username, broker.password, broker.ca) == ("hall", "open sesame", tmp_path / "ca.pem")
    assert "sesame" not in repr(plan)
    assert [each.by for each in plan.up] == [By.PROFILE, By.OUTBOX]
    assert plan.policies() == {"journal": Latest(ttl_s=60.0, max_bytes=100)}
    assert (plan.keep.first_s, plan.keep.most_s, plan.limits.messages, plan.pace.window) == (1.0, 30.0, 10, 2)
    changed = plan.changed(broker="mqtts://other.example", site="office")
    assert (changed.broker.host, changed.broker.username, changed.site) == ("other.example", "hall", "office")
    assert plan.changed(broker=None, site=None) == plan


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("site =", "is no TOML"),
        (UP, "site is missing"),
        (LEAST, "nothing is bridged"),
        (LEAST.replace("home", "My home") + UP, "site = 'My home' must be 1 to 63"),
        (LEAST.replace('"hall"', "7") + UP, "gateway = 7 must be text"),
        (LEAST.replace("mqtt:", "http:") + UP, "broker.url = 'http://broker.example' is no mqtt://"),
        (LEAST + 'ca = "ca.pem"\n' + UP, "write mqtts:// in broker.url"),
        (LEAST.replace("mqtt:", "mqtts:") + 'key = "k"\n' + UP, "give both or none"),
        (LEAST + 'protocol = "4"\n' + UP, "broker.protocol = '4' must be one of 5, 3.1.1"),
        (LEAST + "colour = 1\n" + UP, "unknown in [broker]: colour"),
        (LEAST + "keepalive_s = 0\n" + UP, "broker.keepalive_s = 0 must be above 0"),
        (LEAST + "keepalive_s = true\n" + UP, "broker.keepalive_s = True must be a whole number"),
        (LEAST + 'password_file = ""\n' + UP, "broker.password_file = '' must be the name of a file"),
        (LEAST + UP + UP, "[[up]] names port 'heart-rate' twice"),
        (LEAST + UP + 'by = "mail"\n', "by = 'mail' must be one of port, profile, outbox"),
        (LEAST + UP + 'policy = "never"\n', "policy = 'never' must be one of ordered, latest, best-effort"),
        (LEAST + UP + "x = 1\n", "unknown in [up[0]]: x"),
        (LEAST + UP + f'schema = "{"s" * 65}"\n', "a schema at most 64 bytes"),
        (LEAST + "up = 1\n", "unknown in [broker]: up"),
        ("up = 1\n" + LEAST, "up must be tables: [[up]]"),
        ("keep = 1\n" + LEAST, "keep must be a table: [keep]"),
        (LEAST + UP.replace("up", "down") + 'by = "profile"\n', "a profile only tells"),
        (LEAST + UP.replace("up", "down") + 'policy = "best-effort"\n', "is kept in memory only"),
        (LEAST + UP + 'by = "port"\n' + UP.replace("up", "down"), "goes both ways"),
        (LEAST + UP + "ttl_s = 5\n" + UP.replace("up", "down"), "has one policy and ttl_s in [[up]] and another"),
        (LEAST + UP + "[keep]\nfirst_s = 9\nmost_s = 1\n", "waits grow from first_s"),
    ],
)
def test_what_makes_no_sense(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)
    assert said in str(refused.value)
    assert str(tmp_path / "gateway.toml") in str(refused.value)


def test_files_of_certificates_that_are_none(tmp_path: Path) -> None:
    for name in ("ca.pem", "hall.pem", "hall.key"):
        (tmp_path / name).write_text("no certificate")
    tls = LEAST.replace("mqtt:", "mqtts:")
    with pytest.raises(ConfigError, match="holds no certificates in PEM"):
        load(tmp_path, tls + 'ca = "ca.pem"\n' + UP).broker.tls()
    with pytest.raises(ConfigError, match="no certificate in PEM and its key"):
        load(tmp_path, tls + 'certificate = "hall.pem"\nkey = "hall.key"\n' + UP).broker.tls()
