#!/bin/sh
# Builds the accuracy program for every x86-64 level: sh tests/csrc/simd/build.sh OUTPUT_DIRECTORY
set -e
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: build.sh OUTPUT_DIRECTORY}
cxx=${CXX:-g++}
flags="-std=c++20 -O3 -ffp-contract=off -fno-math-errno -Wall -Wextra -I$here/../../../csrc"
mkdir -p "$out"
for isa in v2 v3 v4; do
  $cxx $flags -march=x86-64-$isa -DKG_ISA=$isa -c "$here/subjects.cpp" -o "$out/subjects_$isa.o"
done
$cxx $flags -std=gnu++20 -DKG_TEST_V2 -DKG_TEST_V3 -DKG_TEST_V4 "$here/accuracy.cpp" \
  "$out"/subjects_v?.o -lquadmath -o "$out/accuracy"
