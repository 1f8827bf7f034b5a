// What is public about the networks that analytic profiles are computed for. Operations,
// parameters, outputs and launches of the convolutional networks were counted on their layer
// shapes, as the named definitions give them, and agree with the figures that their documentation
// states.
#include <string>
#include <utility>
#include <vector>

#include "profiles/synth.h"

namespace tangram {
namespace {

// Traffic of other kernels per matrix output: normalisation and activation read and write each
// output once (4); networks without normalisation only activate (2); squeeze and excitation scales,
// too, which with the pooling before it is one access more; DenseNet also copies, normalises and
// activates all earlier features of a block before every layer.
constexpr double kNormalised = 4;
constexpr double kActivated = 2;
constexpr double kExcited = 5;
double dense(double features_m, double outputs_m) {
  return kNormalised + 7 * features_m / outputs_m;
}

struct Convolutional {
  const char* name;
  const char* input;
  double gflops, winograd_share, parameters_m, outputs_m, other_per_output;
  int matrix_kernels, kernels;
};

ModelFigures figures_of(const Convolutional& net, const char* task, const char* source) {
  return {net.name,
          std::string(task) + ", " + net.input,
          net.gflops,
          net.winograd_share,
          net.parameters_m,
          net.outputs_m,
          net.other_per_output * net.outputs_m,
          net.matrix_kernels,
          net.kernels,
          source};
}

// GFLOP, share of them in 3 x 3 convolutions of stride 1, million parameters, million matrix
// outputs, accesses of other kernels per output, matrix kernels, launches.
std::vector<ModelFigures> torchvision_models() {
  constexpr const char* kImage = "224 x 224";
  const std::vector<Convolutional> nets{
      {"resnet50", kImage, 8.18, 0.368, 25.56, 11.11, kNormalised, 54, 174},
      {"resnet101", kImage, 15.60, 0.445, 44.55, 16.23, kNormalised, 105, 344},
      {"resnet152", kImage, 23.03, 0.472, 60.19, 22.56, kNormalised, 156, 514},
      {"resnet18", kImage, 3.63, 0.828, 11.69, 2.48, kNormalised, 21, 68},
      {"vgg16", kImage, 30.94, 0.992, 138.36, 13.56, kActivated, 16, 36},
      {"vgg19", kImage, 39.26, 0.994, 143.67, 14.86, kActivated, 19, 42},
      {"alexnet", kImage, 1.43, 0.506, 61.10, 0.49, kActivated, 8, 19},
      {"densenet121", kImage, 5.67, 0.438, 7.98, 6.90, dense(9.1, 6.90), 121, 427},
      {"densenet161", kImage, 15.46, 0.391, 28.68, 11.07, dense(17.0, 11.07), 161, 570},
      {"densenet169", kImage, 6.72, 0.396, 14.15, 7.30, dense(10.6, 7.30), 169, 594},
      {"densenet201", kImage, 8.58, 0.337, 20.01, 7.85, dense(13.8, 7.85), 201, 706},
      {"inceptionv3", "299 x 299", 11.43, 0.362, 27.16, 8.97, kNormalised, 95, 312},
      {"googlenet", kImage, 3.00, 0.674, 6.62, 3.20, kNormalised, 58, 195},
      {"mobilenetv2", kImage, 0.60, 0, 3.50, 6.68, kNormalised, 53, 150},
      {"mnasnet", kImage, 0.63, 0, 4.38, 5.46, kNormalised, 53, 150},
      {"efficientnet-b0", kImage, 0.77, 0, 5.29, 6.75, kExcited, 82, 238}};
  std::vector<ModelFigures> models;
  for (const Convolutional& net : nets) {
    models.push_back(figures_of(
        net, "image classification",
        "torchvision model documentation (operations, parameters); layer shapes of its paper"));
  }
  return models;
}

// Attention and two-layer perceptrons: `layers` of width `hidden` over `tokens`.
struct Transformer {
  const char* name;
  const char* description;
  double gflops, parameters_m, outputs_m, other_m;
  int matrix_kernels, kernels;
  const char* source;
};

// GFLOP an item: layers (2 tokens 12 hidden^2 + 4 tokens^2 hidden), and the first and last layers.
// Outputs: layers * tokens * 9 hidden (six projections, one of them four times as wide). Other
// traffic: scores (heads tokens^2) pass 6 times through scale, mask and softmax (ViT: 4, no mask);
// the inner layer passes 2 times through its activation (GPT-2: 18, its tanh approximation is 8
// kernels); hidden states about 10 times through additions, normalisations and transpositions (ViT
// 12, GPT-2 18). Launches: counted in the models' usual definitions.
std::vector<ModelFigures> transformer_models() {
  constexpr const char* kBert = "BERT (Devlin et al. 2019), layer shapes; 128 tokens";
  const std::vector<Transformer> nets{
      {"bert", "BERT base, 12 layers of 768, 128 tokens", 22.4, 109.5, 10.6, 35.6, 97, 245, kBert},
      {"bert_large", "BERT large, 24 layers of 1024, 128 tokens", 80.0, 335.1, 28.3, 94.3, 193, 485,
       kBert},
      {"distilbert", "DistilBERT base, 6 layers of 768, 128 tokens", 11.2, 66.4, 5.3, 17.7, 49, 125,
       "DistilBERT (Sanh et al. 2019): BERT base with half of its layers; 128 tokens"},
      {"gpt2", "GPT-2 small, prefill of 128 tokens, logits of the last", 22.4, 124.4, 10.7, 120.3,
       73, 304, "GPT-2 (Radford et al. 2019), layer shapes; 128 tokens"},
      {"vit-b16", "image classification, ViT B/16, 224 x 224 (197 tokens)", 35.1, 86.57, 16.5, 58.7,
       74, 209, "ViT (Dosovitskiy et al. 2021); torchvision model documentation"}};
  std::vector<ModelFigures> models;
  for (const Transformer& net : nets) {
    models.push_back({net.name, net.description, net.gflops, 0, net.parameters_m, net.outputs_m,
                      net.other_m, net.matrix_kernels, net.kernels, net.source});
  }
  return models;
}

}  // namespace

const std::vector<ModelFigures>& known_models() {
  static const std::vector<ModelFigures> models = [] {
    std::vector<ModelFigures> all = torchvision_models();
    all.push_back(figures_of(
        {"ssd-mobilenetv1", "300 x 300", 2.47, 0, 6.82, 9.41, kNormalised, 41, 111},
        "object detection",
        "MobileNets (Howard et al. 2017), tables 1 and 13; SSD heads on six maps, 91 classes"));
    all.push_back(figures_of({"lenet", "28 x 28", 0.0008, 0, 0.06, 0.0065, kActivated, 5, 11},
                             "digit recognition", "LeNet-5 (LeCun et al. 1998), layer shapes"));
    for (ModelFigures& model : transformer_models()) all.push_back(std::move(model));
    return all;
  }();
  return models;
}

}  // namespace tangram
