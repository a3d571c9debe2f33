#!/usr/bin/env bash
# Installs what Diascope is measured beside: each Python peer into an environment of its own below the folder, and iipsrv
# and nginx as root. What cannot be installed is reported, and the benchmarks say it of each table again.
set -uo pipefail
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/diascope-benchmarks/peers}
python=${PYTHON:-python3}
mkdir -p "$folder"

server=(uvicorn==0.54.0 uvloop==0.23.0 httptools==0.9.0)
environment() {
    local name=$1 wanted="${*:2}"
    [ "$(cat "$folder/$name/installed.txt" 2>/dev/null)" = "$wanted" ] && return
    rm -rf "${folder:?}/$name"
    if "$python" -m venv "$folder/$name" && "$folder/$name/bin/python" -m pip install --quiet "${@:2}"; then
        echo "$wanted" >"$folder/$name/installed.txt"
    else
        rm -rf "${folder:?}/$name"
        echo "NOT INSTALLED: $name" >&2
    fi
}
environment large-image large-image==1.35.6 large-image-source-tiff==1.35.6 large-image-source-ometiff==1.35.6 \
    pylibtiff==0.7.0 simplejpeg==1.9.0 "${server[@]}"
environment openslide openslide-python==1.4.7 openslide-bin==4.0.1.2 "${server[@]}"
environment titiler titiler.core==2.4.0 rasterio==1.4.4 "${server[@]}"
environment neuroglancer neuroglancer==2.41.2 tensorstore==0.1.86 'numpy<2.3'
environment tiamat tiamat-python==0.1.16 'tensorstore==0.1.86' "${server[@]}"
environment simpleitk SimpleITK scipy

packages=()
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || packages+=(nginx-light)
[ -x /usr/lib/iipimage-server/iipsrv.fcgi ] || packages+=(iipimage-server)
ldconfig -p | grep -q libtiff.so || packages+=(libtiff6)
if [ ${#packages[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo --non-interactive)
    if "${as_root[@]}" true 2>/dev/null && command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        "${as_root[@]}" apt-get update -qq
        "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null ||
            echo "NOT INSTALLED: ${packages[*]}" >&2
    else
        echo "NOT INSTALLED, for want of root or apt: ${packages[*]}" >&2
    fi
fi
