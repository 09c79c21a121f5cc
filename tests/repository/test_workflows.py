"""What CI does can be done here: its commands are make's, its files are valid, its versions agree."""

import json
import re
import subprocess
import sys

import pytest
import yaml

from tools.book import HTML, ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
SCHEMAS = {
    "github-workflows": WORKFLOWS,
    "dependabot": [GITHUB / "dependabot.yml"],
    "github-issue-forms": [
        path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config"
    ],
    "github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "citation-file-format": [ROOT / "CITATION.cff"],
}
every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def pyproject(key):
    """A value of pyproject.toml; Python 3.10 has no tomllib."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return yaml.safe_load(re.search(rf"^{key} = (.*)$", text, re.MULTILINE)[1])


def pins(name, marker=""):
    """name -> version of a file of requirements, where the marker is this one or none."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [re.fullmatch(r"([\w.-]+)==([\w.]+)(?:; (.*))?", line) for line in lines]
    return {m[1]: m[2] for m in found if m and (m[3] or marker) == marker}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_files_are_valid(schema):
    assert SCHEMAS[schema]
    check = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", f"--builtin-schema=vendor.{schema}"]
        + [str(path) for path in SCHEMAS[schema]],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert check.returncode == 0, check.stdout + check.stderr


def commands(job):
    return [step["run"] for step in job["steps"] if "run" in step]


@every_workflow
def test_every_command_is_a_target_of_make(path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    jobs = [job for job in load(path)["jobs"].values() if not on_windows(job)]
    assert all(map(commands, jobs))
    for command in (command for job in jobs for command in commands(job)):
        target = re.fullmatch(r"make ([a-z]+)( URL=.*)?", command)
        assert target, f"{command!r} cannot be run here by make"
        assert re.search(rf"^{target[1]}:", makefile, re.MULTILINE), command


def on_windows(job):
    return job["runs-on"].startswith("windows")


def test_windows_runs_the_plain_commands_of_the_readme_as_it_says():
    """All but the last of the first block, which serves the book and does not end; then the tests."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "`python` instead of `python3` and `.venv\\Scripts\\` instead of `.venv/bin/`" in readme
    without_make = re.findall(r"(?i)without make, .*\n\n```sh\n((?:.*\n)*?)```", readme)
    (*build, serve), (test,) = (block.splitlines() for block in without_make)
    assert "tools/serve.py" in serve
    there = [
        re.sub("^python3 ", "python ", line).replace(".venv/bin/", ".venv\\Scripts\\")
        for line in (*build, test)
    ]
    (job,) = filter(on_windows, load(GITHUB / "workflows" / "test.yml")["jobs"].values())
    assert commands(job) == there and "defaults" not in job  # in PowerShell


def test_macos_runs_the_same_tests_as_windows():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    jobs = load(GITHUB / "workflows" / "test.yml")["jobs"]
    assert jobs["macos"]["runs-on"].startswith("macos")
    assert commands(jobs["macos"]) == ["make package"]
    recipe = re.search(r"^package:.*\n\t(.*)", makefile, re.MULTILINE)[1]
    assert recipe.split("tests/", 1)[1] == commands(jobs["windows"])[-1].split("tests/", 1)[1]


def test_a_pull_request_carries_its_book():
    steps = load(GITHUB / "workflows" / "test.yml")["jobs"]["newest"]["steps"]
    (upload,) = (step for step in steps if "upload-artifact" in step.get("uses", ""))
    assert upload["with"]["path"] == HTML.relative_to(ROOT).as_posix()
    assert "pull_request" in upload["if"] and "!cancelled()" in upload["if"]
    assert steps.index(upload) > steps.index({"run": "make test"})


@every_workflow
def test_a_workflow_may_do_little_and_ends(path):
    workflow = load(path)
    assert workflow["permissions"]["contents"] == "read" and workflow["concurrency"]
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 120 and "permissions" not in job
        for step in job["steps"]:
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/none@v1"))


def test_the_oldest_versions_are_those_that_pyproject_allows():
    oldest = pins("tests/oldest.txt")
    for requirement in pyproject("dependencies"):
        name, _, bound = requirement.partition(">=")
        assert oldest[name].startswith(f"{bound}." if bound else ""), requirement


def test_the_oldest_python_is_tested_with_tools_that_are_pinned():
    pinned = pins("requirements.txt") | pins("requirements.txt", 'python_version < "3.11"')
    tools = pins("tests/oldest.txt").items() & pinned.items()
    assert {"pytest", "hypothesis", "mpmath", "playwright", "scikit-learn"} <= dict(tools).keys()


def test_workflows_test_the_oldest_and_the_newest_python():
    jobs = load(GITHUB / "workflows" / "test.yml")["jobs"]
    versions = {
        name: step["with"]["python-version"]
        for name, job in jobs.items()
        for step in job["steps"]
        if "python-version" in step.get("with", {})
    }
    assert versions["oldest"] == pyproject("requires-python").removeprefix(">=")
    assert versions["newest"] == "3.13"


def test_hooks_have_the_versions_that_the_tests_have():
    pinned = pins("requirements.txt")
    text = json.dumps(load(ROOT / ".pre-commit-config.yaml"))
    versions = set(re.findall(r'"([\w-]+)==([\d.]+)"', text))
    assert {name for name, _ in versions} == {"ruff", "nbstripout", "pre-commit-hooks"}
    assert len(versions) == 3  # one version of each
    assert ("ruff", pinned["ruff"]) in versions


def test_the_citation_is_of_this_version():
    citation = load(ROOT / "CITATION.cff")
    assert citation["version"] == pyproject("version")
    assert citation["repository-code"] == pyproject("Repository")
    assert citation["license"] == ["BSD-3-Clause", "CC-BY-4.0"]


def test_licences_are_here_and_said():
    assert "BSD 3-Clause" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Attribution 4.0 International" in (ROOT / "LICENSE-CC-BY-4.0").read_text("utf-8")
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "(LICENSE)" in text and "(LICENSE-CC-BY-4.0)" in text, name
