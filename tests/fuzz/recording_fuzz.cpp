// Fuzzes the reader of recordings, behind the sums of its lines, and replays what it accepts.
#include "sim/scenario/recording.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tangram;
  return fuzz::accept_or_refuse([&] {
    const RunRecording recording =
        parse_recording(std::string(fuzz::as_text(data, size)), "fuzz.jsonl", LineSums::kIgnore);
    replay(recording);
  });
}
