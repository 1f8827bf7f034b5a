// Plans from and to files, and the checks that every plan passes before it is used.
#pragma once

#include <string>
#include <vector>

#include "policies/cluster.h"
#include "policies/plan.h"
#include "profiles/profile.h"
#include "sim/core/json_reader.h"
#include "workloads/workload.h"

namespace tangram {

// Reads the JSON form (design: docs/reference/plan.md). Adds faults with pointers; returns what it
// could read.
Plan read_plan(const JsonNode& node);
// Writes the JSON form; "*" replicas are written out for each of `workloads`.
Json to_json(const Plan& plan, const std::vector<Workload>& workloads);

// Reads a deployment map as ParvaGPU's scheduler writes it ("Num instance,Num GPU,Model,Placement,
// Instance size,Batch size,Num proc"): GPU = 8 * instance + GPU, MIG, relabelled to legal starts
// with the original in released_start, the sizes of each GPU kept. `workloads` maps models to
// workloads: a model with two workloads is a fault. Faults carry FILE:LINE.
Plan parse_parvagpu_plan(const std::string& text,
                         const std::string& name,
                         const std::string& gpu_type,
                         const std::vector<Workload>& workloads,
                         Faults& faults);

// Writes a plan in that format, the released labels where there are any. Reading it again gives the
// same GPUs, but for the planned rates, which the format does not hold. Throws NoAnswer for a plan
// that it cannot say: GPUs not cut by MIG, partitions without exactly one replica and a batch, or a
// model with several workloads.
std::string to_parvagpu(const Plan& plan);

// Reads a plan as iGniter's planner writes it: an object for each GPU, with the lists "models",
// "rates", "slos" (ms, half of the workload's), "resources" (percent) and "batches"; the contents
// of its files config_gpuN.json one behind the other, with or without line ends. GPUs are numbered
// from 0; a share above 100 % becomes 100 with the original in released_share_pct. An entry belongs
// to the workload with its model (a suffix "_dynamic" counts off), its SLO and its rate, as far as
// it takes these to tell workloads apart. Faults carry FILE:LINE and a pointer.
Plan parse_igniter_plan(const std::string& text,
                        const std::string& name,
                        const std::string& gpu_type,
                        const std::vector<Workload>& workloads,
                        Faults& faults);

// Writes a plan in that format, a line for each GPU. Reading it again gives the same GPUs, but for
// their numbers. Throws NoAnswer for a plan that it cannot say: partitions that are no MPS shares,
// or without exactly one replica of one process with a batch and a rate.
std::string to_igniter(const Plan& plan, const std::vector<Workload>& workloads);

// Assigns each partition of a MIG GPU a legal start, keeping the sizes; starts that are legal and
// disjoint stay. Returns false when no legal placement of these sizes exists.
bool place_mig_partitions(const GpuType& type, std::vector<PlanPartition>& partitions);

// Checks a plan against the scenario: known workloads with the right model, legal sizes and starts,
// slots disjoint, shares and SMs at most the GPU's, profiles that cover every replica, memory that
// fits (skipped, with a note, for profiles without memory), at most the cluster's GPUs by type,
// every workload served or listed as unserved. A planned batch beyond the profile is a fault, but a
// note where the profile's interpolation is igniter, whose formula has no end. Memory: what a
// planned batch needs, else batch 1; a group needs what its largest member needs, as its members
// run one at a time. Adds a fault for each violation at `where` + the plan's pointer ("plan.json#"
// + "/gpus/0"); returns notes for the user.
std::vector<std::string> check_plan(const Plan& plan,
                                    const std::vector<Workload>& workloads,
                                    const ProfileSet& profiles,
                                    const Cluster& cluster,
                                    const std::string& where,
                                    Faults& faults);

}  // namespace tangram
