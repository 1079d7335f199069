# Shared by the scripts here: where things are kept, and what they say.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache="${PERILUNE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/perilune}"
# Outside the checkout, so that a fresh clone builds on what an older one compiled.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}"
[ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"

say() { printf '\n== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
