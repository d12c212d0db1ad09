# Sonic Pi plays a drum for each sound that hearken finds. Paste this into a buffer and run it.
# Then: hearken listen corpus.hkn --osc-to 127.0.0.1:4560,as=sonic-pi
# Not run by the tests of hearken: Sonic Pi runs code only from within its own window, and
# Debian has no version of it without; that what it is sent has this form is tested.
#
# SPDX-License-Identifier: 0BSD (do with it what you like; the text is in docs/osc.md)
live_loop :heard do
  use_real_time
  label, score, sound, start, length, scale = sync "/osc*/hearken/match"
  puts label, score
  sample (label.to_s.include?("kick") ? :bd_haus : :drum_cymbal_closed), amp: score
end

live_loop :began do
  use_real_time
  level, _ = sync "/osc*/hearken/onset"
  cue :onset_of_hearken, level
end
