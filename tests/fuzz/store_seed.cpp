// Writes the profile store of a JSON profile: a seed for profile_store_fuzz in today's layout.
// Usage: store_seed PROFILE.json STORE.h5
#include "profiles/profile_io.h"

int main(int argc, char** argv) {
  using namespace tangram;
  if (argc != 3) return 2;
  Faults faults;
  const auto profiles = read_profile_file(argv[1], faults);
  faults.throw_if_any();
  write_profile_store(argv[2], profiles);
  return 0;
}
