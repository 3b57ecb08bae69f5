"""The script of --print-completion, loaded into a shell."""

import shutil
import subprocess

import pytest

from repogen.cli import SHELLS, main


@pytest.fixture(scope="module")
def bash_script(tmp_path_factory):
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    path = tmp_path_factory.mktemp("shell") / "repogen.bash"
    with pytest.MonkeyPatch.context() as patch, path.open("w") as file:
        patch.setattr("sys.stdout", file)
        assert main(["--print-completion", "bash"]) == 0
    return path


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        ("repogen gen", {"generate"}),
        ("repogen generate out --person", {"--person-share"}),
        ("repogen generate out --framing p", {"paper"}),
        ("repogen generate out --preset ceil", {"ceiling-fisheye"}),
        ("repogen train --batch", {"--batch-size"}),
        ("repogen weights con", {"convert"}),
        ("repogen weights blend a b c --al", {"--alpha"}),
        ("repogen validate some", set()),  # then bash completes file names
    ],
)
def test_bash_completes_verbs_options_and_choices(bash_script, words, completions):
    script = (
        f"source {bash_script}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
        "complete -p repogen >&2; _repogen; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "complete -o default -F _repogen repogen\n"
    assert set(done.stdout.split()) == completions


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script(capsys, shell):
    assert main(["--print-completion", shell]) == 0
    script = capsys.readouterr().out
    assert "--person-share" in script
    assert "rerender" in script


@pytest.mark.parametrize("words", [[], ["tcsh"], ["bash", "zsh"]])
def test_other_shells_are_refused_in_a_line(capsys, words):
    assert main(["--print-completion", *words]) == 2
    assert "takes the name of a shell: bash, zsh, fish" in capsys.readouterr().err
