"""Archives: valid ones are unpacked, all others are refused."""

import io
import stat
import tarfile
import zipfile

import pytest

from repogen.assets.archives import unpack
from repogen.errors import UserError


def everything(_path):
    return True


def tar(path, *members, mode="w:gz"):
    with tarfile.open(path, mode) as file:
        for name, data in members:
            info = tarfile.TarInfo(name)
            if isinstance(data, bytes) and name != "link":
                info.size = len(data)
                file.addfile(info, io.BytesIO(data))
            else:
                info.type, info.linkname = data, "/etc/passwd"
                file.addfile(info)
    return path


def zipped(path, *members):
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def deb(path, data):
    """A Debian package: an ar archive (its members padded to even lengths)."""
    out = b"!<arch>\n"
    for name, body in (("debian-binary", b"2.0"), ("data.tar.xz", data)):
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(body):<10}`\n".encode()
        out += body + b"\n" * (len(body) % 2)
    path.write_bytes(out)
    return path


@pytest.mark.parametrize("kind", ["tgz", "zip", "deb"])
def test_only_wanted_files_are_written(tmp_path, kind):
    members = [("./a/b.txt", b"hello"), ("a/c.txt", b"no")]
    if kind == "tgz":
        path = tar(tmp_path / "x.tgz", *members)
    elif kind == "zip":
        path = zipped(tmp_path / "x.zip", *members)
    else:
        inner = tar(tmp_path / "inner.tar.xz", *members, mode="w:xz")
        path = deb(tmp_path / "x.deb", inner.read_bytes())
    unpack(path, tmp_path / "out", lambda name: name == "a/b.txt")
    written = [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert written == [tmp_path / "out" / "a" / "b.txt"]
    assert written[0].read_text() == "hello"


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/evil", "..\\evil", "C:/evil"])
def test_names_that_leave_the_folder_are_refused(tmp_path, name):
    for path in (
        tar(tmp_path / "x.tgz", (name, b"x")),
        zipped(tmp_path / "x.zip", (name, b"x")),
    ):
        with pytest.raises(UserError, match="leaves the folder"):
            unpack(path, tmp_path / "deep" / "out", everything)
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_are_refused(tmp_path, kind):
    path = tar(tmp_path / "x.tgz", ("link", kind), ("link/b", b"x"))
    with pytest.raises(UserError, match="is a link"):
        unpack(path, tmp_path / "out", everything)
    assert not (tmp_path / "out").exists()


def test_links_in_zips_are_refused(tmp_path):
    info = zipfile.ZipInfo("a")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = zipped(tmp_path / "x.zip", (info, "/etc"))
    with pytest.raises(UserError, match="is a link"):
        unpack(path, tmp_path / "out", everything)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["tgz", "zip", "deb"])
def test_truncated_archives_are_refused(tmp_path, kind, share):
    noise = bytes(i * i % 251 for i in range(40_000))
    if kind == "tgz":
        path = tar(tmp_path / "x.tgz", ("a", noise))
    elif kind == "zip":
        path = zipped(tmp_path / "x.zip", ("a", noise))
    else:
        inner = tar(tmp_path / "i.tar.xz", ("a", noise), mode="w:xz")
        path = deb(tmp_path / "x.deb", inner.read_bytes())
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(UserError, match=r"x\.\w+ is truncated or damaged"):
        unpack(path, tmp_path / "out", everything)


def test_the_zip_suffix_may_be_upper_case(tmp_path):
    unpack(zipped(tmp_path / "X.ZIP", ("a", b"hello")), tmp_path / "out", everything)
    assert (tmp_path / "out" / "a").read_bytes() == b"hello"


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a")])
def test_a_file_and_a_folder_of_one_name_are_refused(tmp_path, names):
    for path in (
        tar(tmp_path / "x.tgz", *((name, b"x") for name in names)),
        zipped(tmp_path / "x.zip", *((name, b"x") for name in names)),
    ):
        with pytest.raises(UserError, match="a file and a folder of the same name"):
            unpack(path, tmp_path / path.name.replace(".", "-"), everything)


def test_encrypted_archives_are_refused(tmp_path):
    path = zipped(tmp_path / "x.zip", ("a", b"hello"))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match="is encrypted"):
        unpack(path, tmp_path / "out", everything)


def test_a_zip_with_a_false_size_writes_no_more_than_stated(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a", bytes(10**7))
    data = path.read_bytes().replace((10**7).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(data)
    with pytest.raises(UserError, match="truncated or damaged"):
        unpack(path, tmp_path / "out", everything)
    assert (tmp_path / "out" / "a").stat().st_size <= 10


def test_archives_above_the_size_limit_are_refused(tmp_path):
    path = tmp_path / "x.tar"
    info = tarfile.TarInfo("a")
    info.size = 5 << 30
    path.write_bytes(info.tobuf() + b"\0" * 1024)
    with pytest.raises(UserError, match="more than 4 GiB"):
        unpack(path, tmp_path / "out", everything)
