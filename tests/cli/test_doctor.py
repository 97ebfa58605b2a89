"""mote doctor, help and the command itself."""
import json

from conftest import need


def test_doctor(stubbed):
    need("qemu-system-x86_64")
    facts = json.loads(stubbed.ok("doctor", "--json"))
    assert facts["engine"] in ("qemu", "tcg") and facts["why"] and facts["kernel"] == stubbed.env["MOTE_KERNEL"]
    assert facts["qemu_version"][0].isdigit() and set(facts["kvm"]) >= {"present", "usable", "fast"}
    text = stubbed.ok("doctor").decode()
    assert "engine" in text and facts["why"] in text


def test_doctor_names_what_is_missing(stubbed, tmp_path):
    p = stubbed("doctor", env={"PATH": str(tmp_path)})
    assert p.returncode == 125 and b"qemu-system-x86" in p.out
    p = stubbed("doctor", env={"MOTE_KERNEL": "/no/such"})
    assert p.returncode == 125 and b"kernel-x86_64.elf is missing" in p.out


def test_help(mote):
    assert b"run" in mote.ok("--help") and b"mote " in mote.ok("--version")
    for command in ("run", "build", "image", "doctor"):
        assert b"Usage: mote " + command.encode() in mote.ok(command, "--help")


def test_unknown_words(mote):
    assert "unknown command frobnicate" in mote.fails(125, "frobnicate")
    assert "unknown option --what" in mote.fails(125, "--what")
    assert "unknown option --what" in mote.fails(125, "doctor", "--what")
    assert "mote image x" in mote.fails(125, "image", "x", "y")


def test_mote_yaml_is_refused(mote, tmp_path):
    (tmp_path / "mote.yaml").write_text("program: x\n")
    assert "not supported yet" in mote.fails(125, "build", "mote.yaml")
