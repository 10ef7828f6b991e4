#!/usr/bin/env bash
# Installs the Debian packages that are missing, and says which and why.
# Usage: install-packages.sh SUDO PACKAGE...   (SUDO is "sudo", or "" for root)
set -euo pipefail
sudo=$1
shift
missing=()
for package in "$@"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
echo "installing Debian packages${sudo:+ with sudo}: ${missing[*]}"
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
