#!/usr/bin/env bash
# Runs the suite on the newest CPython of this machine, if that is not the one it runs on anyway. Browser and Java judges
# have had their say on the first Python and are left out here.
set -euo pipefail
cd "$(dirname "$0")/../.."

newest=""
for minor in 14 13 12; do
    for candidate in "python3.$minor" "$HOME"/.pyenv/versions/3."$minor".*/bin/python; do
        if "$candidate" -c "import sys, venv, ensurepip; assert sys.version_info[1] == $minor" 2>/dev/null; then
            newest=$candidate
            break 2
        fi
    done
done
if [ -z "$newest" ]; then
    echo "No Python newer than 3.11 on this machine: nothing more to run."
    exit 0
fi
version=$("$newest" -c 'import platform; print(platform.python_version())')
echo "The suite on Python $version"
venv=.venvs/$version
[ -x "$venv/bin/python" ] || "$newest" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --constraint constraints.txt --editable '.[test]'
"$venv/bin/python" -m pytest -n 2 --dist loadfile -m 'not judge'
