"""``station label``: what a profile prints, and a label once more, from the journal."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import replace
from support.labelled import FAIL, Labelled, label_bench

from station.cli.main import main
from station.engine.commands import OpenConsole
from station.engine.console_events import ConsoleOpened
from station.model import Verdict


def profile_in(folder: Path, **changed: object) -> Path:
    recipe = replace(Labelled(folder=folder, fail_template=FAIL), **changed)  # type: ignore[arg-type]
    recipe.profile()
    path = folder / "widget.toml"
    path.write_text(recipe.text(), encoding="utf-8")
    return path


def test_a_preview_shows_the_zpl_of_an_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = profile_in(tmp_path)
    assert main(["label", "preview", "--profile", str(path)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("^XA^CI28\n")
    assert "^FH^FDe00fce6819ef5f971ea9563a^FS" in shown
    assert main(["label", "preview", "--fail", "--profile", str(path)]) == 0
    assert "FAIL e00fce6819ef5f971ea9563a: the battery has 3.1 V" in capsys.readouterr().out


def test_a_profile_without_a_label_has_no_preview(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label", "preview", "--profile", "boron-product"]) == 2
    assert "it has no [print], so its units get no label" in capsys.readouterr().err


def test_the_label_of_a_unit_that_passed_is_printed_again_and_of_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with label_bench(tmp_path, replace(Labelled(), verify=False)) as line:
        bench = line.bench
        good, bad = bench.finished_unit(Labelled(), 1), bench.finished_unit(Labelled(), 2)
        assert bench.walk(good).verdict is Verdict.PASS
        touched = bench.finished_unit(Labelled(), 3)
        bench.plug(touched)
        passed = bench.wait_finished(since=bench.mark())
        bench.command(OpenConsole(1, passed.attempt or "", touched.device_id))
        bench.wait_for(ConsoleOpened)
        bench.unplug()
        bench.sleep(2.0)
        line.printer.is_away = True
        bench.plug(bad)
        bench.sleep(60.0)
        bench.unplug()
        bench.wait_finished(since=bench.mark() - 5)
        label, _ = line.printer.labels
    config = tmp_path / "station.toml"
    config.write_text(f'[station]\nid = "story"\n[printers.bench]\nto = "folder:{tmp_path / "out"}"\n', "utf-8")
    where = ("--config", str(config), "--data-dir", str(tmp_path), "--profile", str(profile_in(tmp_path)))
    assert main(["label", "print", good.device_id, *where]) == 0
    (file,) = (tmp_path / "out").iterdir()
    assert f"^FD{good.device_id}^FS".encode() in file.read_bytes()
    assert file.read_bytes().strip() == label.zpl
    capsys.readouterr()
    assert main(["label", "print", bad.device_id, *where]) == 1
    assert "its last verdict is ABORTED, and only a PASS gets a label" in capsys.readouterr().out
    assert main(["label", "print", "e00fce68" + "0" * 16, *where]) == 2
    assert main(["label", "print", touched.device_id, *where]) == 1
    assert "worked on by hand since it passed" in capsys.readouterr().out
    assert len(list((tmp_path / "out").iterdir())) == 1
