import pytest
from matplotlib.figure import Figure

from apps.common.errors import UserError
from apps.common.files import save_picture


@pytest.mark.parametrize(("suffix", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_the_suffix_determines_the_format_of_a_picture(tmp_path, suffix, begins):
    save_picture(Figure(), tmp_path / f"a.{suffix}")
    (file,) = tmp_path.iterdir()
    assert file.name == f"a.{suffix}" and file.read_bytes().startswith(begins)


def test_a_picture_is_complete_or_absent(tmp_path, monkeypatch):
    def full(figure, file):
        file.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(UserError, match="No space left"):
        save_picture(Figure(), tmp_path / "picture.png")
    assert not (tmp_path / "picture.png").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mine.png", "mine.png: already exists and is not overwritten"),
        ("nowhere/picture.png", "folder .*nowhere does not exist; create it"),
        ("picture.jpeg", r"picture.jpeg: its name must end in \.png, \.svg, \.pdf"),
        ("picture", r"picture: its name must end in"),
    ],
)
def test_a_path_that_cannot_be_written_gets_a_one_line_error(tmp_path, name, message):
    (tmp_path / "mine.png").write_bytes(b"mine")
    with pytest.raises(UserError, match=message):
        save_picture(Figure(), tmp_path / name)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"mine"]
