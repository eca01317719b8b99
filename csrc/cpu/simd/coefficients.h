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

// -log(1 - erf(x)) in x - 2.5, 1 <= x <= 4, short; absolute error 2^-31.2.
inline constexpr double kErfFar[] = {
    0x1.f3a2dc86413f2p+2,   0x1.56925248eb9cep+2,  0x1.e3460a692893fp-1,   0x1.63cc1965f8a79p-7,
    -0x1.1bd6f75c2e7d4p-9,  0x1.b963f987eb286p-12, -0x1.42b621ec20a56p-14, 0x1.ab5df3e9dcfcfp-17,
    -0x1.ef2d141c962aap-20, 0x1.720bc1894487ap-23, 0x1.602b5f6254992p-25,  -0x1.27a9054be6cb7p-26,
};

// -log(1 - erf(1)).
inline constexpr double kErfFar1_hi = 0x1.d97fbf27aa2a1p+0, kErfFar1_lo = 0x1.9b2f9379f1952p-57;

// (-log(1 - erf(x)) - kErfFar1) / (x - 1) in x - 1, 1 <= x <= 4, short; absolute error 2^-24.8.
inline constexpr double kErfFarFloat[] = {
    0x1.51c9b051bd57ep+1, 0x1.afab8988b7010p-1,   0x1.54934e70cfeb9p-5,  -0x1.4a31773f82ea0p-7,
    0x1.0d3efebe2868dp-9, -0x1.5001dd641641bp-12, 0x1.153c2673caea6p-15, -0x1.ba65410529794p-20,
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

// exp(x^2) erfc(x) (1 + 2x) in t = (x - 4) / (x + 4), 0.74 <= x <= 11, short; absolute error 2^-38.4.
inline constexpr double kErfcxQuick[] = {
    0x1.3ba5916e9fa7ap+0,  -0x1.1df1ad150a43ap-3, 0x1.f7f5df5f17b11p-7,   0x1.16ecef8df3252p-4,
    -0x1.9ddb22f53cc8bp-4, 0x1.7fee094f5e059p-4,  -0x1.0fb0838b3cb1ap-4,  0x1.3078db3bea50fp-5,
    -0x1.095f1b4f2c6afp-6, 0x1.4a087e3698057p-8,  -0x1.8e8c374a928f9p-11, -0x1.c1b2caa9bbbcdp-13,
    0x1.3a9c9ce6d86ccp-13,
};

// exp(a^2 / 2) ncdf(-a) (a + 4) in s - 3/8, s = a / (a + 4), 0 <= a <= 13.1; absolute error 2^-30.0.
inline constexpr double kNormalTail[] = {
    0x1.de857af3f56bep-1, -0x1.ae40ac0187550p+0, 0x1.19ead56fde39dp+1,  -0x1.005745bded6e2p+1,
    0x1.0d3c5b5285648p+0, -0x1.a7157ecd67734p-7, -0x1.7cc5d8f6ca4edp-2, 0x1.ccfec6e82f492p-4,
    0x1.224844dc99b5cp-3, -0x1.b2d34d58bd76cp-5, -0x1.d476cd0567355p-5,
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

// (lgamma(2 + t) / t - kLgamma0) / t, |t| <= 1/2, short; absolute error 2^-43.3.
inline constexpr double kLgammaQuick[] = {
    0x1.4a34cc4a60fa6p-2,  -0x1.13e001a535fe2p-4,  0x1.51322ac799a57p-6,  -0x1.e404fd0ac92c3p-8,
    0x1.7add6f8880e04p-9,  -0x1.38abe82225c4fp-10, 0x1.0b3642ac2de01p-11, -0x1.d42e92ce6e75bp-13,
    0x1.a155e936af235p-14, -0x1.73d289055370ap-15, 0x1.53523b6f563ddp-16, -0x1.7b0c303b6a59bp-17,
    0x1.60043b48a2db8p-18,
};

// x times Stirling's rest of lgamma in 1 / x^2, x >= 8; absolute error 2^-57.6.
inline constexpr double kStirling[] = {
    0x1.5555555555555p-4,   -0x1.6c16c16c16c0fp-9, 0x1.a01a01a00d0c8p-11,
    -0x1.381381168d370p-11, 0x1.b951b7066a805p-11, -0x1.f69af4cedb3c1p-10,
    0x1.a2565f7c03969p-8,   -0x1.c6897db52d634p-6, 0x1.c29fa984fd96ep-4,
};

// the same, short; absolute error 2^-48.2.
inline constexpr double kStirlingQuick[] = {
    0x1.5555555555477p-4,   -0x1.6c16c15665122p-9, 0x1.a0195329980f1p-11,
    -0x1.3797f4ede8393p-11, 0x1.9517858f1a5aap-11,
};

// x^2 (log(x) - 1 / (2x) - digamma(x)) in 1 / x^2, x >= 10; absolute error 2^-57.6.
inline constexpr double kDigamma[] = {
    0x1.5555555555555p-4, -0x1.11111111110dfp-7, 0x1.04104103dcfb0p-8, -0x1.1111106fd5075p-8,
    0x1.f07b24fc36f2dp-8, -0x1.59609637f3c51p-6, 0x1.4f05a054f4db8p-4, -0x1.5e57d05c6fc3dp-2,
};

// (exp(r) - 1 - r) / r^2, |r| <= ln2 / 32, for float lanes; absolute error 2^-25.4.
inline constexpr double kExpFloat16[] = {
    0x1.0000000000000p-1,
    0x1.5556e6d5c0e85p-3,
    0x1.55566100223bfp-5,
};

// 2^(j / 16).
alignas(64) inline constexpr float kPower16_hi[] = {
    0x1.0000000000000p+0f, 0x1.0b55860000000p+0f, 0x1.172b840000000p+0f, 0x1.2387a60000000p+0f,
    0x1.306fe00000000p+0f, 0x1.3dea640000000p+0f, 0x1.4bfdae0000000p+0f, 0x1.5ab07e0000000p+0f,
    0x1.6a09e60000000p+0f, 0x1.7a11480000000p+0f, 0x1.8ace540000000p+0f, 0x1.9c49180000000p+0f,
    0x1.ae89fa0000000p+0f, 0x1.c199be0000000p+0f, 0x1.d5818e0000000p+0f, 0x1.ea4afa0000000p+0f,
};
alignas(64) inline constexpr float kPower16_lo[] = {
    0x0.0p+0f,
    0x1.9f31220000000p-25f,
    -0x1.c157420000000p-27f,
    0x1.ceac480000000p-25f,
    0x1.4636e20000000p-25f,
    0x1.8246840000000p-25f,
    -0x1.593abc0000000p-25f,
    -0x1.5bd5ec0000000p-27f,
    0x1.9fcef40000000p-26f,
    -0x1.829fd00000000p-25f,
    0x1.15506e0000000p-27f,
    0x1.51f8480000000p-27f,
    -0x1.a94b140000000p-26f,
    -0x1.3d56b20000000p-27f,
    -0x1.822dbc0000000p-27f,
    0x1.52486c0000000p-27f,
};

// (exp(r) - 1 - r) / r^2, |r| <= ln2 / 16, for float lanes; absolute error 2^-22.4.
inline constexpr double kExpFloat8[] = {
    0x1.0000000000000p-1,
    0x1.555b9b618e5f2p-3,
    0x1.55598405ce4d1p-5,
};

// 2^(j / 8).
alignas(64) inline constexpr float kPower8_hi[] = {
    0x1.0000000000000p+0f, 0x1.172b840000000p+0f, 0x1.306fe00000000p+0f, 0x1.4bfdae0000000p+0f,
    0x1.6a09e60000000p+0f, 0x1.8ace540000000p+0f, 0x1.ae89fa0000000p+0f, 0x1.d5818e0000000p+0f,
};
alignas(64) inline constexpr float kPower8_lo[] = {
    0x0.0p+0f,
    -0x1.c157420000000p-27f,
    0x1.4636e20000000p-25f,
    -0x1.593abc0000000p-25f,
    0x1.9fcef40000000p-26f,
    0x1.15506e0000000p-27f,
    -0x1.a94b140000000p-26f,
    -0x1.822dbc0000000p-27f,
};

// erf(k / 8 + r) = value + r (slope + r (c2 + r (c3 + r (c4 + r c5)))), |r| <= 1 / 16.
alignas(64) inline constexpr float kErfValue_hi[] = {
    0x0.0p+0f,
    0x1.1f5e1a0000000p-3f,
    0x1.1af54e0000000p-2f,
    0x1.9dd0d20000000p-2f,
    0x1.0a7ef60000000p-1f,
    0x1.3f196e0000000p-1f,
    0x1.6c1c980000000p-1f,
    0x1.91724a0000000p-1f,
    0x1.af767a0000000p-1f,
    0x1.c6dad20000000p-1f,
    0x1.d8865e0000000p-1f,
    0x1.e5768c0000000p-1f,
    0x1.eea5560000000p-1f,
    0x1.f4f6940000000p-1f,
    0x1.f92d080000000p-1f,
    0x1.fbe61e0000000p-1f,
    0x1.fd9ae20000000p-1f,
    0x1.fea4220000000p-1f,
    0x1.ff40480000000p-1f,
    0x1.ff99600000000p-1f,
    0x1.ffcaa80000000p-1f,
    0x1.ffe5140000000p-1f,
    0x1.fff2d00000000p-1f,
    0x1.fff9ba0000000p-1f,
    0x1.fffd1a0000000p-1f,
    0x1.fffeb40000000p-1f,
    0x1.ffff700000000p-1f,
    0x1.ffffc40000000p-1f,
    0x1.ffffe80000000p-1f,
    0x1.fffff60000000p-1f,
    0x1.fffffc0000000p-1f,
    0x1.fffffe0000000p-1f,
};
alignas(64) inline constexpr float kErfValue_lo[] = {
    0x0.0p+0f,
    0x1.ae1dc40000000p-30f,
    0x1.196b040000000p-29f,
    0x1.6e43e80000000p-27f,
    -0x1.f389160000000p-28f,
    -0x1.9787660000000p-28f,
    -0x1.4c5e340000000p-26f,
    -0x1.5c8e080000000p-26f,
    0x1.d042220000000p-27f,
    0x1.053d8c0000000p-26f,
    -0x1.9d50800000000p-27f,
    0x1.da51fe0000000p-28f,
    -0x1.1d90a40000000p-26f,
    -0x1.2610a20000000p-27f,
    -0x1.00e5520000000p-26f,
    0x1.de99ee0000000p-26f,
    -0x1.7b0d440000000p-26f,
    -0x1.ca69ae0000000p-27f,
    -0x1.3f9cca0000000p-26f,
    0x1.e7d6640000000p-26f,
    0x1.e9937e0000000p-26f,
    0x1.77b8320000000p-26f,
    -0x1.3eeb0a0000000p-27f,
    0x1.083a0e0000000p-27f,
    0x1.8826c00000000p-26f,
    -0x1.44d9840000000p-29f,
    -0x1.82606a0000000p-27f,
    -0x1.d24c260000000p-26f,
    -0x1.de55340000000p-26f,
    0x1.8c3da60000000p-29f,
    0x1.78b8f20000000p-28f,
    0x1.259db20000000p-26f,
};
alignas(64) inline constexpr float kErfSlope_hi[] = {
    0x1.20dd760000000p+0f,  0x1.1c62fa0000000p+0f,  0x1.0f5d160000000p+0f,  0x1.f5f0ce0000000p-1f,
    0x1.c1efca0000000p-1f,  0x1.86e96a0000000p-1f,  0x1.492e420000000p-1f,  0x1.0cab620000000p-1f,
    0x1.a911f00000000p-2f,  0x1.45e99c0000000p-2f,  0x1.e465300000000p-3f,  0x1.5ce5960000000p-3f,
    0x1.e723720000000p-4f,  0x1.499d480000000p-4f,  0x1.b055300000000p-5f,  0x1.12ceb40000000p-5f,
    0x1.529b9e0000000p-6f,  0x1.94624e0000000p-7f,  0x1.d4143a0000000p-8f,  0x1.06918c0000000p-8f,
    0x1.1d83180000000p-9f,  0x1.2ce8980000000p-10f, 0x1.3360cc0000000p-11f, 0x1.3053900000000p-12f,
    0x1.2408ea0000000p-13f, 0x1.0f9e1c0000000p-14f, 0x1.e9b5e80000000p-16f, 0x1.abe09e0000000p-17f,
    0x1.6a59720000000p-18f, 0x1.296a700000000p-19f, 0x1.d9371e0000000p-21f, 0x1.6ce1aa0000000p-22f,
};
alignas(64) inline constexpr float kErfSlope_lo[] = {
    -0x1.f7ac920000000p-25f, 0x1.e869b60000000p-28f,  0x1.7bf2060000000p-31f,
    -0x1.43ab3c0000000p-27f, 0x1.2694040000000p-27f,  -0x1.7d968c0000000p-26f,
    0x1.af1a580000000p-26f,  -0x1.ef68da0000000p-30f, 0x1.2df7840000000p-27f,
    -0x1.a243760000000p-29f, -0x1.48d2540000000p-29f, -0x1.dd527a0000000p-30f,
    0x1.ae092a0000000p-30f,  -0x1.d0d6320000000p-30f, 0x1.91080a0000000p-32f,
    -0x1.000c880000000p-30f, 0x1.19f3440000000p-31f,  0x1.e383ec0000000p-33f,
    0x1.3bfd2c0000000p-33f,  -0x1.39553c0000000p-33f, -0x1.e081200000000p-34f,
    0x1.01248a0000000p-35f,  0x1.a47b680000000p-36f,  -0x1.12204c0000000p-38f,
    -0x1.1733600000000p-39f, -0x1.6459240000000p-39f, 0x1.a019ce0000000p-41f,
    0x1.22896c0000000p-42f,  0x1.9a93da0000000p-46f,  0x1.e8280a0000000p-44f,
    0x1.7fbe1a0000000p-48f,  0x1.febdee0000000p-49f,
};
alignas(64) inline constexpr float kErfC2[] = {
    0x0.0p+0f,
    -0x1.1c62f40000000p-3f,
    -0x1.0f5d100000000p-2f,
    -0x1.7874940000000p-2f,
    -0x1.c1efc40000000p-2f,
    -0x1.e8a3be0000000p-2f,
    -0x1.edc5600000000p-2f,
    -0x1.d62bea0000000p-2f,
    -0x1.a911f20000000p-2f,
    -0x1.6ea6d20000000p-2f,
    -0x1.2ebf400000000p-2f,
    -0x1.dfbbb40000000p-3f,
    -0x1.6d5a9a0000000p-3f,
    -0x1.0bcfce0000000p-3f,
    -0x1.7a4a8e0000000p-4f,
    -0x1.01a1ca0000000p-4f,
    -0x1.529ba00000000p-5f,
    -0x1.ada8700000000p-6f,
    -0x1.074b5c0000000p-6f,
    -0x1.37ccc80000000p-7f,
    -0x1.64e3c60000000p-8f,
    -0x1.8af1240000000p-9f,
    -0x1.a6a4e40000000p-10f,
    -0x1.b577d40000000p-11f,
    -0x1.b60cfe0000000p-12f,
    -0x1.a866940000000p-13f,
    -0x1.8de3420000000p-14f,
    -0x1.6904ec0000000p-15f,
    -0x1.3d0da00000000p-16f,
    -0x1.0d87d00000000p-17f,
    -0x1.bba2680000000p-19f,
    -0x1.61796e0000000p-20f,
};
alignas(64) inline constexpr float kErfC3[] = {
    -0x1.8127440000000p-2f, -0x1.6f552a0000000p-2f, -0x1.3c97420000000p-2f, -0x1.e106c40000000p-3f,
    -0x1.2bf5320000000p-3f, -0x1.c8105e0000000p-5f, 0x1.b6e8340000000p-6f,  0x1.7c9d6c0000000p-4f,
    0x1.1b61480000000p-3f,  0x1.4cb3cc0000000p-3f,  0x1.571d000000000p-3f,  0x1.4374d80000000p-3f,
    0x1.1c2a040000000p-3f,  0x1.d663220000000p-4f,  0x1.7148c60000000p-4f,  0x1.143d1e0000000p-4f,
    0x1.8b0ae80000000p-5f,  0x1.0ea4780000000p-5f,  0x1.63ef640000000p-6f,  0x1.c1ec100000000p-7f,
    0x1.119d9e0000000p-7f,  0x1.407fb80000000p-8f,  0x1.69cf3c0000000p-9f,  0x1.89e16a0000000p-10f,
    0x1.9db7320000000p-11f, 0x1.a3735c0000000p-12f, 0x1.9aa45e0000000p-13f, 0x1.8451fa0000000p-14f,
    0x1.62ccae0000000p-15f, 0x1.394ade0000000p-16f, 0x1.0b6a360000000p-17f, 0x1.b95f1c0000000p-19f,
};
alignas(64) inline constexpr float kErfC4[] = {
    0x0.0p+0f,
    0x1.190fde0000000p-4f,
    0x1.03bb9a0000000p-3f,
    0x1.54c3220000000p-3f,
    0x1.768c140000000p-3f,
    0x1.690f280000000p-3f,
    0x1.34645a0000000p-3f,
    0x1.cc35d80000000p-4f,
    0x1.1b741e0000000p-4f,
    0x1.cb4eba0000000p-6f,
    -0x1.8e36ee0000000p-8f,
    -0x1.f24dfc0000000p-6f,
    -0x1.6cbc540000000p-5f,
    -0x1.96d5f20000000p-5f,
    -0x1.89c4340000000p-5f,
    -0x1.5a0fba0000000p-5f,
    -0x1.1a288a0000000p-5f,
    -0x1.b003180000000p-6f,
    -0x1.38d90a0000000p-6f,
    -0x1.aebf5c0000000p-7f,
    -0x1.1ae5660000000p-7f,
    -0x1.6368040000000p-8f,
    -0x1.abe56c0000000p-9f,
    -0x1.ee75c40000000p-10f,
    -0x1.1289f40000000p-10f,
    -0x1.2541a60000000p-11f,
    -0x1.2d91fe0000000p-12f,
    -0x1.2ac2fc0000000p-13f,
    -0x1.1d4e060000000p-14f,
    -0x1.06c2360000000p-15f,
    -0x1.d2f74e0000000p-17f,
    -0x1.907e800000000p-18f,
};
alignas(64) inline constexpr float kErfC5[] = {
    0x1.cdc12a0000000p-4f,  0x1.aa582a0000000p-4f,  0x1.47a3a20000000p-4f,  0x1.745c020000000p-5f,
    0x1.e150760000000p-8f,  -0x1.c0407c0000000p-6f, -0x1.b393300000000p-5f, -0x1.1304d60000000p-4f,
    -0x1.1b233e0000000p-4f, -0x1.f60e660000000p-5f, -0x1.8264140000000p-5f, -0x1.f589ee0000000p-6f,
    -0x1.e7beae0000000p-7f, -0x1.1afe240000000p-9f, 0x1.b0957a0000000p-8f,  0x1.76f9aa0000000p-7f,
    0x1.ac78860000000p-7f,  0x1.99366c0000000p-7f,  0x1.5d25140000000p-7f,  0x1.11dee40000000p-7f,
    0x1.910b900000000p-8f,  0x1.1498e20000000p-8f,  0x1.698a3c0000000p-9f,  0x1.c1a9b40000000p-10f,
    0x1.0ae1bc0000000p-10f, 0x1.2f0a380000000p-11f, 0x1.49bca40000000p-12f, 0x1.584bec0000000p-13f,
    0x1.595ffc0000000p-14f, 0x1.4d288a0000000p-15f, 0x1.3548240000000p-16f, 0x1.147f640000000p-17f,
};

// tanh(centre + r), as erf above, with two terms more.
alignas(64) inline constexpr float kTanhValue_hi[] = {
    0x0.0p+0f,
    0x1.7ee1020000000p-4f,
    0x1.3d6bc80000000p-3f,
    0x1.b8fd040000000p-3f,
    0x1.35f98a0000000p-2f,
    0x1.a5729e0000000p-2f,
    0x1.0508700000000p-1f,
    0x1.3157e00000000p-1f,
    0x1.5789000000000p-1f,
    0x1.77d8380000000p-1f,
    0x1.92bfb40000000p-1f,
    0x1.a8dbcc0000000p-1f,
    0x1.c278a60000000p-1f,
    0x1.d9c6fa0000000p-1f,
    0x1.e8789e0000000p-1f,
    0x1.f1994e0000000p-1f,
    0x1.f737760000000p-1f,
    0x1.faa7940000000p-1f,
    0x1.fcc04c0000000p-1f,
    0x1.fe06ec0000000p-1f,
    0x1.ff112c0000000p-1f,
    0x1.ffa8180000000p-1f,
    0x1.ffdfa80000000p-1f,
    0x1.fff41a0000000p-1f,
    0x1.fffba00000000p-1f,
    0x1.fffe640000000p-1f,
    0x1.ffff680000000p-1f,
    0x1.ffffc80000000p-1f,
    0x1.fffff40000000p-1f,
    0x1.fffffe0000000p-1f,
    0x1.0000000000000p+0f,
    0x1.0000000000000p+0f,
};
alignas(64) inline constexpr float kTanhValue_lo[] = {
    0x0.0p+0f,
    0x1.1fec240000000p-30f,
    -0x1.3bdcf60000000p-29f,
    0x1.6a7c920000000p-31f,
    0x1.d4ca1c0000000p-31f,
    0x1.c910060000000p-27f,
    -0x1.a1256a0000000p-26f,
    -0x1.608ea40000000p-29f,
    -0x1.de5acc0000000p-26f,
    0x1.c680b00000000p-26f,
    -0x1.1e4c920000000p-26f,
    -0x1.e73b420000000p-28f,
    -0x1.ab63720000000p-26f,
    0x1.fcc3900000000p-26f,
    0x1.9d81bc0000000p-26f,
    -0x1.1b60700000000p-30f,
    0x1.65545c0000000p-26f,
    -0x1.6914280000000p-26f,
    0x1.b79b8a0000000p-26f,
    -0x1.f2efbe0000000p-26f,
    0x1.8ea41e0000000p-27f,
    -0x1.eebe980000000p-26f,
    -0x1.bd58d00000000p-26f,
    -0x1.32e41e0000000p-26f,
    -0x1.a07c2e0000000p-26f,
    -0x1.5076b20000000p-27f,
    0x1.3fb26e0000000p-27f,
    0x1.93a8780000000p-28f,
    -0x1.ce26660000000p-27f,
    0x1.42745e0000000p-27f,
    -0x1.d30dec0000000p-28f,
    -0x1.f9abe60000000p-31f,
};
alignas(64) inline constexpr float kTanhSlope_hi[] = {
    0x1.0000000000000p+0f,  0x1.fb86b80000000p-1f,  0x1.f3b3600000000p-1f,  0x1.e842ca0000000p-1f,
    0x1.d115740000000p-1f,  0x1.a945ba0000000p-1f,  0x1.7aeae60000000p-1f,  0x1.49e6c00000000p-1f,
    0x1.197fce0000000p-1f,  0x1.d834d20000000p-2f,  0x1.8661600000000p-2f,  0x1.3ee7300000000p-2f,
    0x1.cea7440000000p-3f,  0x1.265e340000000p-3f,  0x1.6fcfa60000000p-4f,  0x1.c65b1c0000000p-5f,
    0x1.16a7fc0000000p-5f,  0x1.5452000000000p-6f,  0x1.9e87d00000000p-7f,  0x1.f81bd80000000p-8f,
    0x1.dd37d20000000p-9f,  0x1.5f85ae0000000p-10f, 0x1.02bec80000000p-11f, 0x1.7ccec20000000p-13f,
    0x1.1832dc0000000p-14f, 0x1.9c53780000000p-16f, 0x1.2f5ffa0000000p-17f, 0x1.be6c400000000p-19f,
    0x1.8e712e0000000p-21f, 0x1.af62e80000000p-24f, 0x1.d30dec0000000p-27f, 0x1.f9abe60000000p-30f,
};
alignas(64) inline constexpr float kTanhSlope_lo[] = {
    0x0.0p+0f,
    -0x1.224f4e0000000p-26f,
    -0x1.9ecf980000000p-26f,
    0x1.f8429a0000000p-28f,
    0x1.5eb1e40000000p-26f,
    -0x1.ed8d840000000p-28f,
    0x1.0227e40000000p-26f,
    -0x1.b573a20000000p-26f,
    -0x1.9e28b40000000p-27f,
    0x1.6c5abc0000000p-27f,
    0x1.c8a8220000000p-27f,
    0x1.4df23a0000000p-28f,
    0x1.f00a500000000p-28f,
    -0x1.49e7420000000p-29f,
    0x1.b3e2d20000000p-29f,
    -0x1.f9b1520000000p-32f,
    0x1.35ee420000000p-31f,
    0x1.0614860000000p-31f,
    0x1.11a4d40000000p-32f,
    0x1.0ec44a0000000p-33f,
    -0x1.9375380000000p-35f,
    -0x1.5de92e0000000p-35f,
    0x1.6c68c00000000p-36f,
    -0x1.8ac2f80000000p-38f,
    0x1.a79b5c0000000p-39f,
    -0x1.6dd2940000000p-42f,
    -0x1.3da64e0000000p-44f,
    -0x1.99b5c00000000p-44f,
    0x1.5b82940000000p-47f,
    -0x1.0ecaca0000000p-50f,
    -0x1.ac79f60000000p-52f,
    0x1.068e720000000p-55f,
};
alignas(64) inline constexpr float kTanhC2[] = {
    0x0.0p+0f,
    -0x1.7b888e0000000p-4f,
    -0x1.35cbc00000000p-3f,
    -0x1.a48aae0000000p-3f,
    -0x1.1992200000000p-2f,
    -0x1.5e0f0a0000000p-2f,
    -0x1.825df80000000p-2f,
    -0x1.897d280000000p-2f,
    -0x1.79c0e00000000p-2f,
    -0x1.5aa21c0000000p-2f,
    -0x1.3314a00000000p-2f,
    -0x1.08a05a0000000p-2f,
    -0x1.970e080000000p-3f,
    -0x1.10646e0000000p-3f,
    -0x1.5ee8920000000p-4f,
    -0x1.b9937c0000000p-5f,
    -0x1.11e0380000000p-5f,
    -0x1.50c46e0000000p-6f,
    -0x1.9be6720000000p-7f,
    -0x1.f62a8c0000000p-8f,
    -0x1.dc59380000000p-9f,
    -0x1.5f49520000000p-10f,
    -0x1.02ae700000000p-11f,
    -0x1.7cc5e80000000p-13f,
    -0x1.1830780000000p-14f,
    -0x1.9c522c0000000p-16f,
    -0x1.2f5fa00000000p-17f,
    -0x1.be6c100000000p-19f,
    -0x1.8e714e0000000p-21f,
    -0x1.af63120000000p-24f,
    -0x1.d30e1c0000000p-27f,
    -0x1.f9ac1a0000000p-30f,
};
alignas(64) inline constexpr float kTanhC3[] = {
    -0x1.55554e0000000p-2f, -0x1.497b420000000p-2f, -0x1.3520440000000p-2f, -0x1.183afc0000000p-2f,
    -0x1.c1a4b00000000p-3f, -0x1.16e1e60000000p-3f, -0x1.bd0aa80000000p-5f, 0x1.d76d9c0000000p-7f,
    0x1.072d040000000p-4f,  0x1.8434b40000000p-4f,  0x1.bdb6d40000000p-4f,  0x1.c525540000000p-4f,
    0x1.97d6fc0000000p-4f,  0x1.33de7a0000000p-4f,  0x1.a85b920000000p-5f,  0x1.15b42e0000000p-5f,
    0x1.6095920000000p-6f,  0x1.b79f5c0000000p-7f,  0x1.0f1c140000000p-7f,  0x1.4c31e20000000p-8f,
    0x1.3c686a0000000p-9f,  0x1.d3c0e40000000p-11f, 0x1.58bd000000000p-12f, 0x1.fb9af00000000p-14f,
    0x1.758f920000000p-15f, 0x1.12dfb80000000p-16f, 0x1.947e900000000p-18f, 0x1.299d1e0000000p-19f,
    0x1.09a0c00000000p-21f, 0x1.1f974c0000000p-24f, 0x1.375ea80000000p-27f, 0x1.511d500000000p-30f,
};
alignas(64) inline constexpr float kTanhC4[] = {
    0x0.0p+0f,
    0x1.f369720000000p-5f,
    0x1.8e2d5e0000000p-4f,
    0x1.04dcce0000000p-3f,
    0x1.43d3240000000p-3f,
    0x1.5c26e20000000p-3f,
    0x1.3a4d4a0000000p-3f,
    0x1.e9823c0000000p-4f,
    0x1.4716dc0000000p-4f,
    0x1.626a060000000p-5f,
    0x1.d6ab880000000p-7f,
    -0x1.72f9e60000000p-8f,
    -0x1.5dd5be0000000p-6f,
    -0x1.9d2a2c0000000p-6f,
    -0x1.55d61e0000000p-6f,
    -0x1.eacdde0000000p-7f,
    -0x1.47e7680000000p-7f,
    -0x1.a50ae20000000p-8f,
    -0x1.082db60000000p-8f,
    -0x1.470d440000000p-9f,
    -0x1.3a17840000000p-10f,
    -0x1.d27d180000000p-12f,
    -0x1.58640e0000000p-13f,
    -0x1.fb690a0000000p-15f,
    -0x1.7580ca0000000p-16f,
    -0x1.12dac80000000p-17f,
    -0x1.947a840000000p-19f,
    -0x1.299b020000000p-20f,
    -0x1.09897a0000000p-22f,
    -0x1.1f7e320000000p-25f,
    -0x1.37437c0000000p-28f,
    -0x1.50ffe80000000p-31f,
};
alignas(64) inline constexpr float kTanhC5[] = {
    0x1.10a2b20000000p-3f,  0x1.fa31a40000000p-4f,  0x1.b74a380000000p-4f,  0x1.5c19f00000000p-4f,
    0x1.74c9ae0000000p-5f,  -0x1.90d4b00000000p-8f, -0x1.65e3500000000p-5f, -0x1.f9d8ca0000000p-5f,
    -0x1.01259a0000000p-4f, -0x1.b3056e0000000p-5f, -0x1.404d1e0000000p-5f, -0x1.9dd8fa0000000p-6f,
    -0x1.337db40000000p-7f, 0x1.82892e0000000p-10f, 0x1.2fa9a20000000p-8f,  0x1.263a5c0000000p-8f,
    0x1.bff7ae0000000p-9f,  0x1.33a1b00000000p-9f,  0x1.90bea60000000p-10f, 0x1.faeef40000000p-11f,
    0x1.ef2e120000000p-12f, 0x1.732ffc0000000p-13f, 0x1.12f88a0000000p-14f, 0x1.95a3180000000p-16f,
    0x1.2ab9b40000000p-17f, 0x1.b7ba700000000p-19f, 0x1.4392fe0000000p-20f, 0x1.dc2abc0000000p-22f,
    0x1.a8ec260000000p-24f, 0x1.cc0ef20000000p-27f, 0x1.f218ee0000000p-30f, 0x1.0da4000000000p-32f,
};
alignas(64) inline constexpr float kTanhC6[] = {
    0x0.0p+0f,
    -0x1.15c40e0000000p-5f,
    -0x1.acda920000000p-5f,
    -0x1.0b601e0000000p-4f,
    -0x1.28a83e0000000p-4f,
    -0x1.f90eda0000000p-5f,
    -0x1.313fa20000000p-5f,
    -0x1.7c17480000000p-7f,
    0x1.dab9780000000p-8f,
    0x1.1652100000000p-6f,
    0x1.3bcb8e0000000p-6f,
    0x1.180bc20000000p-6f,
    0x1.6766c00000000p-7f,
    0x1.0d5e8a0000000p-8f,
    0x1.524af00000000p-11f,
    -0x1.26af520000000p-11f,
    -0x1.90c8d80000000p-11f,
    -0x1.4e3c1c0000000p-11f,
    -0x1.dd01e00000000p-12f,
    -0x1.3cb01e0000000p-12f,
    -0x1.4218b20000000p-13f,
    -0x1.eca66c0000000p-15f,
    -0x1.6f932e0000000p-16f,
    -0x1.0fd5220000000p-17f,
    -0x1.90c1f60000000p-19f,
    -0x1.2710800000000p-20f,
    -0x1.b24d800000000p-22f,
    -0x1.3f92680000000p-23f,
    -0x1.2304980000000p-25f,
    -0x1.3b15600000000p-28f,
    -0x1.5522c40000000p-31f,
    -0x1.71577e0000000p-34f,
};
alignas(64) inline constexpr float kTanhC7[] = {
    0x0.0p+0f,
    -0x1.8306aa0000000p-5f,
    -0x1.2a15880000000p-5f,
    -0x1.6e4e1e0000000p-6f,
    -0x1.303efc0000000p-15f,
    0x1.72107a0000000p-6f,
    0x1.f7599c0000000p-6f,
    0x1.b07fb80000000p-6f,
    0x1.0ae7440000000p-6f,
    0x1.9f97a20000000p-8f,
    -0x1.11d69e0000000p-11f,
    -0x1.0395780000000p-8f,
    -0x1.37e3140000000p-8f,
    -0x1.7d34680000000p-9f,
    -0x1.37cd680000000p-10f,
    -0x1.4613360000000p-12f,
    0x1.3f86760000000p-16f,
    0x1.ae101a0000000p-14f,
    0x1.a01bd40000000p-14f,
    0x1.38feae0000000p-14f,
    0x1.5900260000000p-15f,
    0x1.12e7ec0000000p-16f,
    0x1.a018060000000p-18f,
    0x1.354a800000000p-19f,
    0x1.c8d5660000000p-21f,
    0x1.5094e20000000p-22f,
    0x1.ef89380000000p-24f,
    0x1.6ca9ac0000000p-25f,
    0x1.4a9ee00000000p-27f,
    0x1.65f7020000000p-30f,
    0x1.83903a0000000p-33f,
    0x1.a39bb00000000p-36f,
};

// Few-bit reciprocals c of sixteen pieces of [3/4, 3/2), and -log(c), its first part
// and that of ln 2 multiples of 2^-16, so that sums of them are exact.
alignas(64) inline constexpr float kLogInverse[] = {
    0x1.5000000000000p+0f, 0x1.4000000000000p+0f, 0x1.3800000000000p+0f, 0x1.2800000000000p+0f,
    0x1.2000000000000p+0f, 0x1.1800000000000p+0f, 0x1.1000000000000p+0f, 0x1.0000000000000p+0f,
    0x1.0000000000000p+0f, 0x1.d000000000000p-1f, 0x1.c000000000000p-1f, 0x1.a000000000000p-1f,
    0x1.9000000000000p-1f, 0x1.8000000000000p-1f, 0x1.7000000000000p-1f, 0x1.6000000000000p-1f,
};
alignas(64) inline constexpr float kLogPiece_hi[] = {
    -0x1.1674000000000p-2f,
    -0x1.c900000000000p-3f,
    -0x1.9528000000000p-3f,
    -0x1.2958000000000p-3f,
    -0x1.e270000000000p-4f,
    -0x1.6f10000000000p-4f,
    -0x1.f0a0000000000p-5f,
    0x0.0p+0f,
    0x0.0p+0f,
    0x1.9330000000000p-4f,
    0x1.1178000000000p-3f,
    0x1.a940000000000p-3f,
    0x1.f990000000000p-3f,
    0x1.2698000000000p-2f,
    0x1.522c000000000p-2f,
    0x1.7fb0000000000p-2f,
};
alignas(64) inline constexpr float kLogPiece_lo[] = {
    -0x1.cababa0000000p-18f,
    0x1.070cac0000000p-20f,
    0x1.2b185e0000000p-18f,
    0x1.683f000000000p-18f,
    -0x1.db8abc0000000p-22f,
    0x1.6ba8d40000000p-19f,
    -0x1.86008c0000000p-20f,
    0x0.0p+0f,
    0x0.0p+0f,
    0x1.7975660000000p-18f,
    0x1.d044fc0000000p-20f,
    -0x1.2c37520000000p-19f,
    0x1.c6cb3c0000000p-19f,
    -0x1.deecb20000000p-18f,
    -0x1.1f8c760000000p-18f,
    -0x1.7109fa0000000p-20f,
};
inline constexpr float kLn2Short_hi = 0x1.62e4000000000p-1f;
inline constexpr float kLn2Short_lo = 0x1.7f7d1c0000000p-20f;
// (log(1 + r) - r) / r^2 for the pieces; absolute error 2^-32.9.
inline constexpr double kLogFloat[] = {
    -0x1.00000000cfab6p-1, 0x1.555554cc207c7p-2,  -0x1.ffffb510ba81ep-3,
    0x1.99a0a4d08abedp-3,  -0x1.56642dfedbe36p-3, 0x1.1c1e5867b8270p-3,
};

}  // namespace kagari::coefficients
