# shellcheck shell=bash
# For demo.sh and test.sh: goes to the root of the project, and says what is done and how long it
# took. Source it.
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1

# step TITLE COMMAND...: runs the command; a failure ends the script with the command's status.
step() {
  local title=$1 start=$SECONDS status=0
  shift
  printf '\n==> %s\n' "$title"
  "$@" || status=$?
  if [[ $status -ne 0 ]]; then
    printf '==> FAILED: %s (%d s)\n' "$title" $((SECONDS - start)) >&2
    exit "$status"
  fi
  printf '==> done: %s (%d s)\n' "$title" $((SECONDS - start))
}
