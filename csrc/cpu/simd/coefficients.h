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

// sqrt(pi) / 2.
inline constexpr double kHalfRootPi_hi = 0x1.c5bf891b4ef6bp-1,
                        kHalfRootPi_lo = -0x1.618f13eb7ca89p-55;

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

// (sin(r) - r + r^3 / 6 - r^5 / 120) / r^7 in r^2, |r| <= pi / 4; absolute error 2^-60.8.
inline constexpr double kSin7[] = {
    -0x1.a01a01a01a008p-13, 0x1.71de3a5555745p-19,  -0x1.ae6455ea7b5f2p-26,
    0x1.61230ff03dbc5p-33,  -0x1.ac0efffc31011p-41,
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

// -2 / (3 sqrt(pi)).
inline constexpr double kErf1_hi = -0x1.812746b0379e7p-2, kErf1_lo = 0x1.ee12e49cab700p-57;

// (erf(x) / x - 2 / sqrt(pi) (1 - x^2 / 3)) / x^4 in x^2, |x| <= 1; absolute error 2^-57.8.
inline constexpr double kErf[] = {
    0x1.ce2f21a042be2p-4,  -0x1.b82ce31288b4ep-6,  0x1.565bcd0e6a2f8p-8,  -0x1.c02db4002b715p-11,
    0x1.f9a326f349f2cp-14, -0x1.f4d25b17f54c2p-17, 0x1.b9e6a8811781cp-20, -0x1.5f71af7b88120p-23,
    0x1.fc855264f4898p-27, -0x1.4fb34a81fbaaap-30, 0x1.86e3e38000677p-34, -0x1.3e449f9d0ee2dp-38,
};

// (erf(x) / x - 2 / sqrt(pi)) / x^2 in x^2, |x| <= 1, short; absolute error 2^-38.1.
inline constexpr double kErfQuick[] = {
    -0x1.812746b0283bep-2,  0x1.ce2f218177f5ap-4,  -0x1.b82cd8ee66e92p-6,  0x1.565a8632370b0p-8,
    -0x1.c005169a126fap-11, 0x1.f6e001bd7fd9ep-14, -0x1.d9c52733c7fb4p-17, 0x1.2acbbec114e73p-20,
};

// exp(x^2) erfc(x) (1 + 2x) in t = (x - 4) / (x + 4), 0.74 <= x <= 28, at t = 0.
inline constexpr double kErfcx0_hi = 0x1.3ba5916e9fd7fp+0, kErfcx0_lo = -0x1.aa9c415679e6fp-55;

// the same less that, divided by t; absolute error 2^-56.8.
inline constexpr double kErfcx[] = {
    -0x1.1df1ad154a28ep-3,  0x1.f7f5df66fd7c5p-7,   0x1.16ecefcfa538dp-4,   -0x1.9ddb23c3e918ap-4,
    0x1.7fee004e127e0p-4,   -0x1.0fb06dfe474eep-4,  0x1.3079edf6782c2p-5,   -0x1.09623885b5ecdp-6,
    0x1.49c6728b955b4p-8,   -0x1.8d4a98fd32c97p-11, -0x1.a1df2bee8c62fp-13, 0x1.3be023f7681e5p-13,
    -0x1.99580cdd31731p-16, -0x1.787dd321a5d80p-17, 0x1.7f15fd3fdb84ap-18,  0x1.373b062428387p-22,
    -0x1.b99fa3b26c66fp-21, 0x1.592512b9c8acfp-24,  0x1.c752bee4eea0fp-24,  -0x1.8535a8faf4b86p-26,
    -0x1.7011c701400acp-27, 0x1.e7cc0f1fdfd11p-29,
};

// exp(x^2) erfc(x) (1 + 2x) in t = (x - 4) / (x + 4), 0.74 <= x <= 11, short; absolute error
// 2^-38.4.
inline constexpr double kErfcxQuick[] = {
    0x1.3ba5916e9fa7ap+0,  -0x1.1df1ad150a43ap-3, 0x1.f7f5df5f17b11p-7,   0x1.16ecef8df3252p-4,
    -0x1.9ddb22f53cc8bp-4, 0x1.7fee094f5e059p-4,  -0x1.0fb0838b3cb1ap-4,  0x1.3078db3bea50fp-5,
    -0x1.095f1b4f2c6afp-6, 0x1.4a087e3698057p-8,  -0x1.8e8c374a928f9p-11, -0x1.c1b2caa9bbbcdp-13,
    0x1.3a9c9ce6d86ccp-13,
};

// erfinv(x) / x in w - 2.5, w = -log(1 - x^2) <= 5; absolute error 2^-38.5.
inline constexpr double kErfinv[] = {
    0x1.805c5cfcedef5p+0,   0x1.f91e8993791f8p-3,   -0x1.11c3c304a481ep-8,  -0x1.4863cc93e8490p-10,
    0x1.c9b4393e96fb4p-13,  -0x1.4f4a74159678ap-18, -0x1.ca92b8fc57500p-19, 0x1.0112d91c7bf40p-21,
    0x1.cd6d4248e6968p-27,  -0x1.76bff55ec9bbcp-27, 0x1.f025ea2e420d7p-31,  0x1.1d7cac88419e9p-33,
    -0x1.08f57e3faf900p-35, -0x1.7d8c03cb70ca5p-42, 0x1.edb4e2836e977p-42,
};

// erfinv(x) / x in sqrt(w) - 3, 5 <= w <= 17; absolute error 2^-42.4.
inline constexpr double kErfinvFar[] = {
    0x1.6a9efbd66e9f7p+1,   0x1.006dca7a9b7f6p+0,   0x1.3582c81c97549p-7,   -0x1.f4f1c6d75e1d8p-8,
    0x1.749585bca2eefp-8,   -0x1.d275504c48c31p-9,  0x1.84f476a0c548ep-10,  -0x1.38451a8ca4013p-13,
    -0x1.28ed32d337290p-12, 0x1.af165b7021057p-13,  -0x1.848e8109ca670p-15, -0x1.82dd6f3ec0632p-16,
    0x1.6cb6a91cc3e93p-16,  -0x1.73df7c5ed3fc8p-18, -0x1.b3d0f372d2686p-20, 0x1.a91e72c136e16p-20,
    -0x1.cd38b8dc42557p-22, 0x1.44ae0e806913ap-25,
};

// erfinv(x) / x in sqrt(w) - 5, 16 <= w <= 38; absolute error 2^-35.8.
inline constexpr double kErfinvEnd[] = {
    0x1.3664ddd1ababcp+2,  0x1.02a30d1f53dd4p+0,   -0x1.22ea1fdcd485ap-13, -0x1.c2f27a1c811b0p-13,
    0x1.3eb9e7939fdf5p-14, -0x1.4a5a4a0d31963p-16, 0x1.311f51a3f86dfp-18,  -0x1.0634d94ad7e10p-20,
    0x1.9a51e30b60d2dp-23, -0x1.489ef9510fdc9p-24, 0x1.024ba5330611bp-24,  -0x1.4afeb8a031da6p-26,
};

// 1 - Euler's constant, the slope of lgamma at 2.
inline constexpr double kLgamma0_hi = 0x1.b0ee6072093cep-2, kLgamma0_lo = 0x1.6cb90701fbfabp-58;

// (lgamma(2 + t) / t - kLgamma0) / t, |t| <= 1/2; absolute error 2^-55.6.
inline constexpr double kLgamma[] = {
    0x1.4a34cc4a60fa6p-2,  -0x1.13e001a557607p-4,  0x1.51322ac7d8483p-6,  -0x1.e404fc218f5f1p-8,
    0x1.7add6eadb6cbbp-9,  -0x1.38ac5c2bf8e8ep-10, 0x1.0b36af8630f5fp-11, -0x1.d3fd4c76c2b4bp-13,
    0x1.a127b0f9ee692p-14, -0x1.78de5bdfe4b09p-15, 0x1.580dcc735f957p-16, -0x1.3cbc93e25637dp-17,
    0x1.259814c96e3bdp-18, -0x1.11b358339bbcep-19, 0x1.0057bc58baf67p-20, -0x1.e246f058f7af4p-22,
    0x1.c959188a8539dp-23, -0x1.b134741533839p-24, 0x1.8367966486352p-25, -0x1.70bb32ee45e6ep-26,
    0x1.01127da9788f9p-26, -0x1.ec58aea95c0e9p-28,
};

// x times Stirling's rest of lgamma in 1 / x^2, x >= 8; absolute error 2^-57.6.
inline constexpr double kStirling[] = {
    0x1.5555555555555p-4,   -0x1.6c16c16c16c0fp-9, 0x1.a01a01a00d0c8p-11,
    -0x1.381381168d370p-11, 0x1.b951b7066a805p-11, -0x1.f69af4cedb3c1p-10,
    0x1.a2565f7c03969p-8,   -0x1.c6897db52d634p-6, 0x1.c29fa984fd96ep-4,
};

// x^2 (log(x) - 1 / (2x) - digamma(x)) in 1 / x^2, x >= 10; absolute error 2^-57.6.
inline constexpr double kDigamma[] = {
    0x1.5555555555555p-4, -0x1.11111111110dfp-7, 0x1.04104103dcfb0p-8, -0x1.1111106fd5075p-8,
    0x1.f07b24fc36f2dp-8, -0x1.59609637f3c51p-6, 0x1.4f05a054f4db8p-4, -0x1.5e57d05c6fc3dp-2,
};

}  // namespace kagari::coefficients
