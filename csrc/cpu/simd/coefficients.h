// Polynomial coefficients and constants of the vectorised mathematics.
// Written by coefficients.py; do not edit.
#pragma once

namespace kagari::coefficients {

// ln 2.
inline constexpr double kLn2_hi = 0x1.62e42fefa39efp-1, kLn2_lo = 0x1.abc9e3b39803fp-56;

// 1 / ln 2.
inline constexpr double kInvLn2_hi = 0x1.71547652b82fep+0, kInvLn2_lo = 0x1.777d0ffda0d24p-56;

// 1 / ln 10.
inline constexpr double kInvLn10_hi = 0x1.bcb7b1526e50ep-2, kInvLn10_lo = 0x1.95355baaafad3p-57;

// log10 2.
inline constexpr double kLog10Of2_hi = 0x1.34413509f79ffp-2, kLog10Of2_lo = -0x1.9dc1da994fd21p-59;

// pi.
inline constexpr double kPi_hi = 0x1.921fb54442d18p+1, kPi_lo = 0x1.1a62633145c07p-53;

// pi / 2.
inline constexpr double kHalfPi_hi = 0x1.921fb54442d18p+0, kHalfPi_lo = 0x1.1a62633145c07p-54;

// pi / 4.
inline constexpr double kQuarterPi_hi = 0x1.921fb54442d18p-1, kQuarterPi_lo = 0x1.1a62633145c07p-55;

// 2 / pi.
inline constexpr double kTwoOverPi_hi = 0x1.45f306dc9c883p-1,
                        kTwoOverPi_lo = -0x1.6b01ec5417056p-55;

// 2 / 3.
inline constexpr double kTwoThirds_hi = 0x1.5555555555555p-1, kTwoThirds_lo = 0x1.5555555555555p-55;

// 2 / sqrt(pi).
inline constexpr double kTwoOverRootPi_hi = 0x1.20dd750429b6dp+0,
                        kTwoOverRootPi_lo = 0x1.1ae3a914fed80p-56;

// log(2 pi) / 2.
inline constexpr double kHalfLog2Pi_hi = 0x1.d67f1c864beb5p-1,
                        kHalfLog2Pi_lo = -0x1.65b5a1b7ff5dfp-55;

// log(pi).
inline constexpr double kLogPi_hi = 0x1.250d048e7a1bdp+0, kLogPi_lo = 0x1.7abf2ad8d5088p-57;

// pi / 2 to 161 bits: the third part after kHalfPi.
inline constexpr double kHalfPi_third = -0x1.f1976b7ed8fbcp-110;

// The fraction bits of 2 / pi, 64 to a word, most significant first.
inline constexpr unsigned long long kTwoOverPiBits[] = {
    0xa2f9836e4e441529ull, 0xfc2757d1f534ddc0ull, 0xdb6295993c439041ull, 0xfe5163abdebbc561ull,
    0xb7246e3a424dd2e0ull, 0x06492eea09d1921cull, 0xfe1deb1cb129a73eull, 0xe88235f52ebb4484ull,
    0xe99c7026b45f7e41ull, 0x3991d639835339f4ull, 0x9c845f8bbdf9283bull, 0x1ff897ffde05980full,
    0xef2f118b5a0a6d1full, 0x6d367ecf27cb09b7ull, 0x4f463f669e5fea2dull, 0x7527bac7ebe5f17bull,
    0x3d0739f78a5292eaull, 0x6bfb5fb11f8d5d08ull, 0x56033046fc7b6babull, 0xf0cfbc209af4361dull,
};

// (exp(r) - 1 - r) / r^2, |r| <= ln2 / 2; absolute error 2^-58.8.
inline constexpr double kExp[] = {
    0x1.0000000000000p-1,  0x1.5555555555557p-3,  0x1.5555555555556p-5,  0x1.111111110ff87p-7,
    0x1.6c16c16c16212p-10, 0x1.a01a01aca0134p-13, 0x1.a01a01a741b3cp-16, 0x1.71ddffef9e7b1p-19,
    0x1.27e4da1a3bf04p-22, 0x1.af52906239de4p-26, 0x1.1f75aba0b1e2ep-29,
};

// (exp(r) - 1 - r - r^2 / 2) / r^3, |r| <= ln2 / 2; absolute error 2^-56.5.
inline constexpr double kExp3[] = {
    0x1.5555555555555p-3,  0x1.5555555555556p-5,  0x1.1111111111111p-7,  0x1.6c16c16c16212p-10,
    0x1.a01a01a019ac2p-13, 0x1.a01a01a741b3cp-16, 0x1.71de3a593d342p-19, 0x1.27e4da1a3bf04p-22,
    0x1.ae6432e9de9edp-26, 0x1.1f75aba0b1e2ep-29, 0x1.61b58ced1bc2bp-33,
};

// the same, short; absolute error 2^-29.3.
inline constexpr double kExpQuick[] = {
    0x1.0000000c4592ep-1, 0x1.5555555ac911fp-3,  0x1.5554e4aacef45p-5,
    0x1.1110df02bfbecp-7, 0x1.6d4920bf2569bp-10, 0x1.a12a42f159d0ep-13,
};

// 2 (atanh(s) - s - s^3 / 3) / s^5 in s^2, |s| <= 0.172; absolute error 2^-55.1.
inline constexpr double kLog[] = {
    0x1.999999999999ap-2, 0x1.2492492492527p-2, 0x1.c71c71c6e8f44p-3, 0x1.745d177c10ad9p-3,
    0x1.3b1395347c9e0p-3, 0x1.1118e94969b8bp-3, 0x1.df75d14baa685p-4, 0x1.e077188742e3cp-4,
};

// 2 (atanh(s) - s) / s^3 in s^2, |s| <= 0.172, short; absolute error 2^-37.0.
inline constexpr double kLogQuick[] = {
    0x1.55555555655a6p-1, 0x1.999998c64d2a8p-2, 0x1.2493279e4dc8ap-2,
    0x1.c679026104935p-3, 0x1.8cafc43b2cef4p-3,
};

// (sin(r) - r + r^3 / 6) / r^5 in r^2, |r| <= pi / 4; absolute error 2^-62.9.
inline constexpr double kSin5[] = {
    0x1.1111111111111p-7,   -0x1.a01a01a019ed3p-13, 0x1.71de3a550bf1ap-19,
    -0x1.ae645532257fep-26, 0x1.612259280a9d4p-33,  -0x1.ab927d42cd640p-41,
};

// (cos(r) - 1 + r^2 / 2 - r^4 / 24) / r^6 in r^2, |r| <= pi / 4; absolute error 2^-63.8.
inline constexpr double kCos6[] = {
    -0x1.6c16c16c16c17p-10, 0x1.a01a01a019f89p-16,  -0x1.27e4fb775f0bcp-22,
    0x1.1eed8e6b65c86p-29,  -0x1.93957c0da34b9p-37, 0x1.abe57578e501dp-45,
};

// (sin(r) - r) / r^3 in r^2, |r| <= pi / 4, short; absolute error 2^-35.0.
inline constexpr double kSinQuick[] = {
    -0x1.555555545c0f8p-3,
    0x1.11110dea5e8c0p-7,
    -0x1.a013a11619d1bp-13,
    0x1.6dbbee1f24647p-19,
};

// (cos(r) - 1) / r^2 in r^2, |r| <= pi / 4, short; absolute error 2^-41.3.
inline constexpr double kCosQuick[] = {
    -0x1.fffffffffe656p-2, 0x1.5555555147373p-5,   -0x1.6c16badbea939p-10,
    0x1.a01291464359ep-16, -0x1.2473214f428b9p-22,
};

// (sin(r) - r) / r^3 in r^2, |r| <= pi / 2, short; absolute error 2^-43.5.
inline constexpr double kSinWide[] = {
    -0x1.55555555549a8p-3, 0x1.1111110fbcec0p-7,   -0x1.a01a000e8ffe4p-13,
    0x1.71dd8cdba9615p-19, -0x1.ae20805beb1f2p-26, 0x1.54e1345b8f051p-33,
};

// (asin(x) - x) / x^3 in x^2, |x| <= 1/2; absolute error 2^-56.6.
inline constexpr double kAsin[] = {
    0x1.5555555555555p-3,  0x1.3333333333389p-4, 0x1.6db6db6dac0eap-5, 0x1.f1c71c7a5e151p-6,
    0x1.6e8ba121b9d5fp-6,  0x1.1c4efd20ebb99p-6, 0x1.c990a42b32b03p-7, 0x1.7b02ef007d23ep-7,
    0x1.3b462d121c5d2p-7,  0x1.31777489dfd29p-7, 0x1.8dcdf11997e0fp-9, 0x1.40c91fa8deb7ep-6,
    -0x1.3bd7e353ddbc2p-6, 0x1.e58a4f278e007p-6,
};

// the same, short; absolute error 2^-36.0.
inline constexpr double kAsinQuick[] = {
    0x1.55555554ede81p-3, 0x1.333334d009e10p-4, 0x1.6db5cef583cefp-5, 0x1.f20913ba8d370p-6,
    0x1.6a9c2ffd8a6d0p-6, 0x1.3c5d44991a0f2p-6, 0x1.64157dc57bfb9p-8, 0x1.e055c6ab71d4cp-6,
};

// (atan(x) - x) / x^3 in x^2, |x| <= tan(pi / 8); absolute error 2^-55.6.
inline constexpr double kAtan[] = {
    -0x1.5555555555555p-2, 0x1.9999999999952p-3, -0x1.249249248d739p-3, 0x1.c71c71c2fc236p-4,
    -0x1.745d165c497f3p-4, 0x1.3b1392a9c2d8bp-4, -0x1.110e84aa36d9dp-4, 0x1.e199c62156609p-5,
    -0x1.ac7858539e493p-5, 0x1.74d3a7b43351ap-5, -0x1.1b1992aa413c9p-5, 0x1.0a997ba33c1dbp-6,
};

// the same, short; absolute error 2^-35.6.
inline constexpr double kAtanQuick[] = {
    -0x1.55555555018d3p-2, 0x1.9999982386384p-3, -0x1.2491bfec7eaaap-3, 0x1.c6f664c251f89p-4,
    -0x1.71d214eaeb143p-4, 0x1.2439d1666cb6dp-4, -0x1.4b107f787f967p-5,
};

// (erf(x) / x - 2 / sqrt(pi)) / x^2 in x^2, |x| <= 1/2; absolute error 2^-55.9.
inline constexpr double kErf[] = {
    -0x1.812746b0379e7p-2,  0x1.ce2f21a042bcfp-4,   -0x1.b82ce31286ca6p-6,
    0x1.565bcd0d2f387p-8,   -0x1.c02db3355a85bp-11, 0x1.f9a2dd80b8e29p-14,
    -0x1.f4c2b3b43d836p-17, 0x1.b7f30850d48a8p-20,  -0x1.3d8b39d54153dp-23,
};

// the same for |x| <= 1, short; absolute error 2^-38.1.
inline constexpr double kErfQuick[] = {
    -0x1.812746b0283bep-2,  0x1.ce2f218177f5ap-4,  -0x1.b82cd8ee66e92p-6,  0x1.565a8632370b0p-8,
    -0x1.c005169a126fap-11, 0x1.f6e001bd7fd9ep-14, -0x1.d9c52733c7fb4p-17, 0x1.2acbbec114e73p-20,
};

// exp(x^2) erfc(x) (1 + 2x) in t = (x - 4) / (x + 4), 0.45 <= x <= 28, at t = 0.
inline constexpr double kErfcx0_hi = 0x1.3ba5916e9fd7fp+0, kErfcx0_lo = -0x1.aa9c415679e6fp-55;

// the same less that, divided by t; absolute error 2^-56.7.
inline constexpr double kErfcx[] = {
    -0x1.1df1ad154a28ep-3,  0x1.f7f5df66fd7a3p-7,   0x1.16ecefcfa5357p-4,   -0x1.9ddb23c3e8f34p-4,
    0x1.7fee004e13571p-4,   -0x1.0fb06dfe4d41cp-4,  0x1.3079edf64dda0p-5,   -0x1.09623883f8e82p-6,
    0x1.49c6729c60238p-8,   -0x1.8d4a9b39aeb1dp-11, -0x1.a1df3b46d5110p-13, 0x1.3be05b6d048ebp-13,
    -0x1.9955e8f4a1024p-16, -0x1.788b565e91da8p-17, 0x1.7efe43e1ae487p-18,  0x1.3b67a81e7f83bp-22,
    -0x1.b860bdc3d213ap-21, 0x1.3fba1b40d96c2p-24,  0x1.be055b14580cdp-24,  -0x1.2e23e3dbeaa9dp-26,
    -0x1.5271dfbc30230p-27, 0x1.cd7249c87ab7fp-30,
};

// exp(x^2) erfc(x) (1 + 2x) in t = (x - 4) / (x + 4), 0.45 <= x <= 11, short; absolute error
// 2^-35.7.
inline constexpr double kErfcxQuick[] = {
    0x1.3ba5916ea2e0bp+0,  -0x1.1df1ad0eefbacp-3, 0x1.f7f5dda46ce08p-7,   0x1.16ecec248bf72p-4,
    -0x1.9ddb1b4cac8b4p-4, 0x1.7fee509bbcff1p-4,  -0x1.0fb0d1a46f980p-4,  0x1.3073db7dcbebep-5,
    -0x1.095c4de9c1a39p-6, 0x1.4aacf6fbfabccp-8,  -0x1.8cdeb3de8ae5bp-11, -0x1.e191888fc37d2p-13,
    0x1.2212fb0b0b0e1p-13,
};

// lgamma(2 + t) / t, |t| <= 1/2; absolute error 2^-56.0.
inline constexpr double kLgamma[] = {
    0x1.b0ee6072093cep-2,   0x1.4a34cc4a60fa6p-2,  -0x1.13e001a55760ap-4,  0x1.51322ac7d848ap-6,
    -0x1.e404fc218dbaep-8,  0x1.7add6eadb5317p-9,  -0x1.38ac5c2d48207p-10, 0x1.0b36af8779ca0p-11,
    -0x1.d3fd4b679c1c4p-13, 0x1.a127afee53e7dp-14, -0x1.78de9ab752b81p-15, 0x1.580e0afa55850p-16,
    -0x1.3cb3be36ad88bp-17, 0x1.258f3057730fap-18, -0x1.1276ebd557fb0p-19, 0x1.012012be3900ap-20,
    -0x1.ce17528bcf460p-22, 0x1.b40adb09a1e12p-23, -0x1.2009c1a550d0dp-23, 0x1.11fa5e7c86f7bp-24,
};

}  // namespace kagari::coefficients
