# What the prepare.sh scripts of these folders begin with; sourced, not run. A script defines the
# function usage and then says
#
#   prepare_arguments LEAST MOST "$@"
#
# which answers -h, ends with 2 where the number of arguments is another, and leaves the script's own
# folder in `here` and the command in `tangram`.

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 2
}

prepare_arguments() {
  local least=$1 most=$2
  shift 2
  case "${1-}" in
    -h | --help)
      usage
      exit 0
      ;;
  esac
  if [[ $# -lt $least || $# -gt $most ]]; then
    usage >&2
    exit 2
  fi
  here=$(cd -- "$(dirname -- "${BASH_SOURCE[1]}")" && pwd)
  tangram=${TANGRAM:-$here/../../build/release/cli/tangram}
  command -v -- "$tangram" >/dev/null ||
    fail "no command at $tangram: build it with scripts/demo.sh, or name it in the variable TANGRAM"
}
