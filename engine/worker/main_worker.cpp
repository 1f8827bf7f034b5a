// The tangram-worker program: the runners that need no framework.
#include "engine/worker/native_runner.h"
#include "engine/worker/sleep_runner.h"
#include "engine/worker/worker.h"

int main(int argc, char** argv) {
  return tangram::worker_main(
      argc, argv, {{"sleep", tangram::make_sleep_device}, {"native", tangram::make_native_device}});
}
