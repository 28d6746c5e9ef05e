#include "engine/kernels/profile.h"

#include <algorithm>
#include <array>

#include "base/cpu.h"
#include "engine/kernels/profiles_of.h"

namespace eml::kernels {
namespace {

// The processor has tiles for both profiles, the system saves them, and Linux granted this process their use.
bool may_use_tiles() {
  const CpuFeatures& cpu = cpu_features();
  return cpu.avx512 && cpu.amx_bf16 && cpu.amx_int8 && request_amx() == 0;
}

constexpr std::array<std::string_view, 3> kNumerics = {"fp32", "bf16", "int8"};

// Profile fp32 is KernelTable's own arithmetic: its operand is the activations as they are.
namespace fp32 {

std::size_t packed_bytes(const KernelTable& /*rows*/, const MatrixShape& shape) {
  return shape.columns * shape.depth * sizeof(float);
}

bool pack(const KernelTable& rows, const PackArgs& args) {
  float* to = static_cast<float*>(args.packed) + args.column_begin * args.shape.depth;
  pack_panels(to, args.weight, args.columns, args.shape.depth, rows.panel_columns);
  return true;
}

std::size_t operand_bytes(std::size_t /*rows*/, std::size_t /*depth*/) { return 0; }

Operand prepare(const PrepareArgs& args) { return {.data = args.a, .stride = args.lda * sizeof(float)}; }

const float* first_of(const KernelTable& rows, const NextPanel& next) {
  if (next.packed == nullptr) return nullptr;
  return static_cast<const float*>(next.packed) + next.column_begin * next.shape.depth +
         next.depth_begin * rows.panel_columns;
}

void linear(const KernelTable& rows, const MatrixArgs& args) {
  rows.linear({.a = static_cast<const float*>(args.a.data),
               .lda = args.a.stride / sizeof(float),
               .rows = args.rows,
               .packed = static_cast<const float*>(args.packed),
               .depth = args.shape.depth,
               .depth_begin = args.depth_begin,
               .depth_end = args.depth_end,
               .column_begin = args.column_begin,
               .column_end = args.column_end,
               .bias = args.bias,
               .resume = args.resume,
               .epilogue = args.epilogue,
               .residual = args.residual,
               .ldr = args.ldr,
               .out = args.out,
               .ldo = args.ldo,
               .next = first_of(rows, args.next)});
}

void attention(const KernelTable& rows, const AttentionArgs& args) { rows.attention(args); }

Profile on(const KernelTable& table) {
  return {.numerics = "fp32",
          .kernels = table.name,
          .rows = &table,
          .packed_bytes = packed_bytes,
          .pack = pack,
          .operand_bytes = operand_bytes,
          .prepare = prepare,
          .linear = linear,
          .attention_scratch = attention_scratch_floats,
          .attention = attention,
          .peak = table.peak};
}

}  // namespace fp32
}  // namespace

std::span<const std::string_view> numerics_profiles() { return kNumerics; }

std::vector<Profile> profiles(std::string_view numerics) {
  std::vector<Profile> out;
  const auto offer = [&](bool runs, const std::optional<Profile>& profile) {
    if (runs && profile) out.push_back(*profile);
  };
  const CpuFeatures& cpu = cpu_features();
  if (numerics == "fp32") {
    for (const KernelTable* table : available()) out.push_back(fp32::on(*table));
  } else if (numerics == "bf16") {
    offer(may_use_tiles(), bf16_amx());
    offer(cpu.avx512, bf16_avx512());
    offer(cpu.avx2, bf16_avx2());
    out.push_back(bf16_scalar());
  } else if (numerics == "int8") {
    offer(may_use_tiles(), int8_amx());
    offer(cpu.avx512_vnni, int8_avx512());
    offer(cpu.avx2, int8_avx2());
    out.push_back(int8_scalar());
  }
  return out;
}

std::optional<Profile> find_profile(std::string_view numerics, std::string_view kernels) {
  for (const Profile& profile : profiles(numerics)) {
    if (profile.kernels == kernels) return profile;
  }
  return std::nullopt;
}

}  // namespace eml::kernels
