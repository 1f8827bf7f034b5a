// The runner that needs no framework: models that the program computes itself, so that the CPU
// backend can be tried and measured on any machine. A model's name is its size:
//   mlp-WIDTH-LAYERS  a perceptron of square layers with ReLU, one thread; batches share the
//                     weights, so that wide ones gain from batching
//   stream-MIB        adds two halves of a buffer of that size, once per item: a neighbour that
//                     takes the memory's bandwidth
#pragma once

#include "engine/worker/runner.h"

namespace tangram {

std::unique_ptr<WorkerDevice> make_native_device(const WorkerSpec& spec);

}  // namespace tangram
