from apps.common import quickstart


def test_the_commands_run_in_order_and_are_printed(monkeypatch, capsys):
    calls = []
    monkeypatch.setattr(quickstart, "main", lambda app, args: calls.append(args) or 0)
    assert quickstart.quickstart("tagger") == 0
    assert [call[0] for call in calls] == ["train", "evaluate", "evaluate", "export", "predict"]
    out = capsys.readouterr().out
    assert "-m apps.tagger export --run runs/tagger/quick\n" in out
    assert "-m apps.tagger predict --run runs/tagger/quick 'in the" in out.split("Next:")[1]


def test_it_stops_at_the_first_failure(monkeypatch):
    codes = iter([0, 2])
    monkeypatch.setattr(quickstart, "main", lambda app, args: next(codes))
    assert quickstart.quickstart("tagger") == 2


def test_an_unknown_app_is_reported(capsys):
    assert quickstart.quickstart("toaster") == 2
    assert "no app 'toaster'" in capsys.readouterr().err
