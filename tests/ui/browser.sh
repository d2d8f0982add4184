#!/bin/sh
# Let there be Chromium for the tests of the panel, and letters for its Chinese: installed on a Debian that lacks them.
set -u

has_browser() {
  [ -n "${CHROMIUM:-}" ] && return
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null && return
  done
  return 1
}

has_chinese() {
  ! command -v fc-list >/dev/null || [ -n "$(fc-list :lang=zh)" ]
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" 2>&1
}

has_browser && has_chinese && exit
said="There is no apt-get here."
if command -v apt-get >/dev/null; then
  echo "Installing what the tests of the panel need besides: Chromium, fonts …"
  wanted="fonts-liberation fonts-wqy-microhei"
  has_browser || wanted="chromium chromium-sandbox $wanted"
  # A source that does not answer does not matter if the others have what is wanted.
  # shellcheck disable=SC2086
  said="$(apt update; apt install --no-install-recommends $wanted)"
fi
# Without the font Chinese is tested all the same; only pictures of it are unreadable.
has_browser && exit
cat >&2 <<SORRY
$said
The tests drive the panel in Chromium, and it could not be installed. On Debian, as root: apt-get install chromium
Elsewhere install it as is usual there, or name where it is: make test CHROMIUM=/path/to/chromium
SORRY
exit 1
