# The set-up that bin/demo, bin/test, bin/bench and bin/fs-dialer share. Sourced, not run.
#
# In:  $0, the script in bin/ that was called.
# Out: $root    the checkout
#      $venv    a virtual environment with everything installed and the checkout editable in it
#      $python  its interpreter
#      $caches  a folder of our own that may be written
# Everything it says goes to stderr, so that stdout stays the command's own. When it cannot go on it ends the script with a line that tells how to mend it.
#
# The environment is .venv of the checkout, or, where that cannot be written or executed, a folder in ${XDG_CACHE_HOME:-~/.cache}/fs-dialer/. Two stamps
# say what it was made of: .made-by (which Python, for which checkout) and .made-from (a hash of what decides the packages; written last, removed first).
# So the second run costs one hash, and a run that was cut off is taken up again. A lock keeps two runs from building the same one.

set -eu

say() { printf 'fs-dialer: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd -P)
if [ "$(id -u)" = 0 ]; then sudo=; else sudo='sudo '; fi

# --- Python -----------------------------------------------------------------------------------------------------------

find_python() {  # sets $base, an interpreter of 3.11 or later that is not itself a virtual environment's, and $base_is, which one that is
    too_old=
    for name in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
        found=$(command -v "$name" 2>/dev/null) || continue
        facts=$("$found" -c 'import sys; print(sys._base_executable); print(*sys.version_info[:3], sys.base_prefix); sys.exit(sys.version_info < (3, 11))' 2>/dev/null) && {
            base=${facts%%
*}
            base_is=${facts#*
}
            return
        }
        [ -n "$too_old" ] || too_old="$found is $("$found" -V 2>&1 || echo broken)"
    done
    [ -n "$too_old" ] || die "Python 3.11 or later is needed, and there is no python3 here. On Debian: ${sudo}apt install -y python3 python3-venv"
    die "Python 3.11 or later is needed, and $too_old. Debian 12 and later have it; or name another one: PYTHON=/path/to/python3.11 $0"
}

require_venv() {  # Debian packs ensurepip apart from Python
    "$base" -c 'import ensurepip, venv' 2>/dev/null && return
    package=python3-venv
    case $base in /usr/bin/python3.*) package=${base#/usr/bin/}-venv ;; esac
    die "$base cannot make virtual environments. On Debian: ${sudo}apt install -y $package"
}

# --- where ------------------------------------------------------------------------------------------------------------

usable() {  # may we write into folder $1 and run programs from it? Makes the folder.
    mkdir -p -- "$1" 2>/dev/null || return 1
    probe=$1/.probe.$$
    verdict=1
    if (printf '#!/bin/sh\nexit 0\n' >"$probe") 2>/dev/null && chmod 700 -- "$probe" && "$probe" 2>/dev/null; then verdict=0; fi
    rm -f -- "$probe" 2>/dev/null || true
    return $verdict
}

made_by() { printf '%s\n%s\n%s' "$base_is" "$root" "$venv"; }

ready() {
    [ "$(cat -- "$venv/.made-from" 2>/dev/null)" = "$made_from" ] && [ "$(cat -- "$venv/.made-by" 2>/dev/null)" = "$(made_by)" ] &&
        "$venv/bin/python" -c '' 2>/dev/null
}

# --- making it --------------------------------------------------------------------------------------------------------

build() {  # makes or mends $venv; the caller holds the lock
    if [ "$(cat -- "$venv/.made-by" 2>/dev/null)" != "$(made_by)" ] || ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
        require_venv
        # Only what we made is removed (a copied checkout, another Python). Not by `venv --clear`: it would take the lock from under those who wait for it.
        [ ! -e "$venv/.made-by" ] || find "$venv" -mindepth 1 -maxdepth 1 ! -name .lock -exec rm -rf -- {} +
        say "making a virtual environment in $venv"
        "$base" -m venv "$venv" >&2 || die "could not make the virtual environment; the lines above say why"
        made_by >"$venv/.made-by"
    fi
    rm -f -- "$venv/.made-from"
    say "installing what it needs (once; about a minute)"
    # The folder is entered rather than named: a path with a bracket in it would read as an extra.
    (cd -- "$editable" && "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --use-pep517 --editable '.[dev]') >&2 ||
        die "pip could not install the packages; the lines above say why. It needs a package index: PyPI, or a mirror named in pip's configuration."
    printf '%s' "$made_from" >"$venv/.made-from"
}

mirror() {  # makes $editable of links to the checkout: pip writes its metadata beside setup.cfg, and here the checkout cannot be written
    mkdir -p -- "$editable"
    for name in setup.cfg pyproject.toml README.md LICENSE fs_dialer sql conf; do
        [ ! -e "$root/$name" ] || ln -sfn -- "$root/$name" "$editable/$name"
    done
}

may_build_in_checkout() {
    [ -w "$root" ] && usable "$root/.venv" && { [ ! -e "$root/fs_dialer.egg-info" ] || [ -w "$root/fs_dialer.egg-info" ]; }
}

make_ready() {
    if ! may_build_in_checkout; then
        # A folder for each checkout: two of them must not take turns in rebuilding one environment.
        venv=$cache/$(printf '%s' "$root" | sha256sum | cut -c 1-12)
        editable=$venv/checkout
        ! ready || return 0
        usable "$venv" || die "neither $root/.venv nor $venv can be written and executed; name a folder that can: XDG_CACHE_HOME=/path $0"
        mirror
    fi
    if command -v flock >/dev/null 2>&1; then
        exec 9>"$venv/.lock"
        flock -n 9 || { say "another run is installing into $venv; waiting for it"; flock 9; }
    fi
    ready || build
    exec 9>&-
}

find_python
made_from=$(cat -- "$root/setup.cfg" "$root/pyproject.toml" "$root/bin/_setup.sh" | sha256sum | cut -c 1-64)
cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/fs-dialer
venv=$root/.venv
editable=$root
ready || make_ready

python=$venv/bin/python
caches=$venv/.cache
usable "$caches" || caches=$cache/tools
mkdir -p -- "$caches" 2>/dev/null || true
