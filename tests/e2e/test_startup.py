"""Starting and stopping the binary, and the commands beside it. Modelry's own affair, all of it."""

import json
import os
import re
import subprocess

import pytest
from support.native import Native
from support.server import ROOT_TOKEN, binary, free_port, token_in
from support.wire import Wire

pytestmark = pytest.mark.modelry_only("this is about Modelry's own process")

NO_CREDENTIALS = {"MODELRY_ROOT_PASSWORD": None, "MODELRY_ROOT_TOKEN": None}


def works(server, token):
    """Whether a client with this token gets through."""
    return Wire(server.tracking_uri, token).get("experiments/get", experiment_id="0").status == 200


def link_in(text):
    """The path of the one-time sign-in link that was printed."""
    return re.search(r"https?://[^/\s]+(/users/sign_in/\S+)", text).group(1)


def test_the_first_start_prints_a_link_the_folder_and_the_lines_to_paste(fresh):
    server = fresh(settings=NO_CREDENTIALS).start()
    printed = server.output()
    assert f"export MLFLOW_TRACKING_URI={server.tracking_uri}" in printed
    assert f'os.environ["MLFLOW_TRACKING_URI"] = "{server.tracking_uri}"' in printed
    assert str(server.data) in printed
    assert works(server, token_in(printed))
    assert Wire(server.url).send("GET", link_in(printed)).status == 200


def test_later_starts_say_what_is_there_and_print_no_token(fresh):
    server = fresh(settings=NO_CREDENTIALS).start()
    wire = Wire(server.tracking_uri, token_in(server.output()))
    for _ in range(3):
        wire.ok(wire.post("runs/create", {"experiment_id": "0"}))
    server.stop()
    before = len(server.output())
    printed = server.start().output()[before:]
    assert "1 project" in printed
    assert "3 candidates" in printed
    assert server.url in printed
    assert str(server.data) in printed
    assert "modelry token" in printed
    assert "modelry login-link" in printed
    assert "MLFLOW_TRACKING_TOKEN=" not in printed


def test_a_container_sets_the_first_password_and_token_by_variables(fresh):
    server = fresh().start()
    assert works(server, ROOT_TOKEN)
    assert ROOT_TOKEN not in server.output()


def test_what_was_written_is_there_after_a_restart(fresh):
    server = fresh().start()
    wire = Wire(server.tracking_uri, server.token)
    made = wire.ok(wire.post("experiments/create", {"name": "kept"}))["experiment_id"]
    assert server.stop() == 0
    server.start()
    assert wire.ok(wire.get("experiments/get", experiment_id=made))["experiment"]["name"] == "kept"


def test_a_second_process_on_the_same_folder_is_refused(fresh):
    server = fresh().start()
    second = subprocess.run(
        [binary(), "serve", "--address", f"127.0.0.1:{free_port()}", "--data", server.data],
        env=server.environment(),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert second.returncode != 0
    assert str(server.data) in second.stderr
    assert server.answers()


def test_a_taken_address_is_named(fresh):
    first, second = fresh().start(), fresh()
    second.port = first.port
    assert second.launch().process.wait(timeout=30) != 0
    assert f"127.0.0.1:{first.port}" in second.output()


def test_sigterm_ends_it_cleanly(fresh):
    server = fresh().start()
    assert server.stop() == 0
    assert "ok" in server.command("check").stdout


@pytest.mark.parametrize("running", [True, False])
def test_the_token_command_makes_one_that_works(fresh, running):
    server = fresh().start()
    if not running:
        server.stop()
    token = server.new_token()
    if not running:
        server.start()
    assert works(server, token)


@pytest.mark.parametrize("running", [True, False])
def test_the_login_link_command_prints_a_link_that_signs_in(fresh, running):
    server = fresh().start()
    if not running:
        server.stop()
    printed = server.command("login-link").stdout
    if not running:
        server.start()
    assert Wire(server.url).send("GET", link_in(printed)).status == 200


@pytest.mark.parametrize("running", [True, False])
def test_the_user_command_makes_a_user(fresh, running):
    server = fresh().start()
    if not running:
        server.stop()
    server.command("user", "create", "ann")
    if not running:
        server.start()
    caller = Native(server.url, server.new_token("ann"))
    assert caller.call("GET", "/user")["username"] == "ann"


def test_a_read_token_from_the_command_only_reads(fresh):
    server = fresh().start()
    reader = Wire(server.tracking_uri, server.new_token(scope="read_api"))
    reader.ok(reader.get("experiments/get", experiment_id="0"))
    assert reader.post("experiments/create", {"name": "x"}).status == 403


def test_a_flag_beats_a_variable_and_a_variable_beats_the_file(fresh, tmp_path):
    config = tmp_path / "modelry.toml"
    config.write_text('public_url = "https://from-the-file.example"\n')

    def public_url(settings, arguments):
        server = fresh(settings=NO_CREDENTIALS | settings, arguments=["--config", config, *arguments]).start()
        found = re.search(r"export MLFLOW_TRACKING_URI=(\S+?)/api/", server.output()).group(1)
        server.stop()
        return found

    variable = {"MODELRY_PUBLIC_URL": "https://from-the-variable.example"}
    flag = ["--public-url", "https://from-the-flag.example"]
    assert public_url({}, []) == "https://from-the-file.example"
    assert public_url(variable, []) == "https://from-the-variable.example"
    assert public_url(variable, flag) == "https://from-the-flag.example"


@pytest.mark.parametrize("text", ['no_such_key = "x"\n', "[limits]\nno_such_limit = 1\n", "address = 7\n", "not toml"])
def test_a_file_that_makes_no_sense_is_refused_by_name(fresh, tmp_path, text):
    config = tmp_path / "modelry.toml"
    config.write_text(text)
    server = fresh(arguments=["--config", config]).launch()
    assert server.process.wait(timeout=30) != 0
    assert str(config) in server.output()


def test_the_log_can_be_json(fresh):
    server = fresh(arguments=["--log-format", "json"]).start()
    lines = [json.loads(line) for line in server.output().splitlines() if line.startswith("{")]
    assert [line["fields"]["message"] for line in lines] == ["listening"]


def test_nobody_else_can_read_the_data_folder(fresh):
    server = fresh().start()
    assert server.data.stat().st_mode & 0o077 == 0


def test_a_password_never_shows_in_the_log(fresh):
    server = fresh(arguments=["--log-format", "json"]).start()
    Wire(server.tracking_uri, server.token).get("experiments/get", experiment_id="0")
    assert server.password not in server.output()
    assert os.fspath(server.data) in server.output()
