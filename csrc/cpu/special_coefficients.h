// Series of the special functions. Computed by special_coefficients.py; do not
// edit.
#pragma once

namespace kagari::scalar::series {

// exp(-x) I0(x), x from 0 to 8
inline constexpr double kI0Near[] = {
    0x1.5a84e9035a22ap-2,  -0x1.37febc057cd8dp-2,  0x1.5f7ac77ac88c0p-3,  -0x1.84b70342d06eap-4,
    0x1.93e8acea8a32dp-5,  -0x1.84e9ef121b6f0p-6,  0x1.59961f3dde3ddp-7,  -0x1.1b65e201aa849p-8,
    0x1.adc758a12100ep-10, -0x1.2e2fd1f15eb52p-11, 0x1.8b51b74107cabp-13, -0x1.e2b2659c41d5ap-15,
    0x1.13f58be9a2859p-16, -0x1.2866fcba56427p-18, 0x1.2bf24978cf4acp-20, -0x1.1ec638f227f8dp-22,
    0x1.03b769d4d6435p-24, -0x1.beaf68c0b30abp-27, 0x1.6d903a454cb34p-29, -0x1.1d4fe13ae9556p-31,
    0x1.a98becc743c10p-34, -0x1.2fc957a946abcp-36, 0x1.9fe2fe19bd324p-39, -0x1.1164c62ee1af0p-41,
    0x1.59b464b262627p-44, -0x1.a5022c297fbebp-47, 0x1.ee6d893f65ebap-50, -0x1.184eb721ebbb4p-52,
    0x1.33362977da589p-55, -0x1.45cb72134d0efp-58};

// exp(-x) I1(x) / x, x from 0 to 8
inline constexpr double kI1Near[] = {
    0x1.02a63724a7ffap-3,  -0x1.694d10469192ep-3,  0x1.a46dad536f53cp-4,  -0x1.b1bbc537c9ebcp-5,
    0x1.951e3e7bb2349p-6,  -0x1.5a29f7913a26ap-7,  0x1.1065349d3a1b4p-8,  -0x1.8cc620b3cd4a4p-10,
    0x1.0c95db6c6df7dp-11, -0x1.533cad3d694fep-13, 0x1.911b542c70d0bp-15, -0x1.bd5f9b8debbcfp-17,
    0x1.d1c4ed511afc5p-19, -0x1.cc0798363992ap-21, 0x1.ae344b347d108p-23, -0x1.7dd3e24b8c3e8p-25,
    0x1.4258e02395010p-27, -0x1.0361b28ea67e6p-29, 0x1.8ea34b43fdf6cp-32, -0x1.2510397eb07dep-34,
    0x1.9cee2b21d3154p-37, -0x1.173835fb70366p-39, 0x1.6af784779d955p-42, -0x1.c628e1c8f0b3bp-45,
    0x1.11d7f0615290cp-47, -0x1.3eaaa7e0d1573p-50, 0x1.663e3e593bfacp-53, -0x1.857d0c38a0576p-56,
    0x1.99f2a0c3c4014p-59};

// sqrt(x) exp(-x) I0(x) in 8 / x
inline constexpr double kI0Far[] = {
    0x1.9be62aca809cbp-2,   0x1.b998ca2e59049p-9,   0x1.20fa378999e52p-14,  0x1.8412bc101c586p-19,
    0x1.b8007d9cd616ep-23,  0x1.8569280d6d56dp-26,  0x1.d2c64a9225b87p-29,  0x1.0f9ccc0f46f75p-31,
    0x1.a24feabe8004fp-37,  -0x1.1511d08397425p-35, -0x1.d0fd7357e7bf2p-37, -0x1.f904303178d66p-40,
    0x1.94347fa268cecp-41,  0x1.b1c8c6b83c073p-42,  0x1.156ff0d5fc545p-46,  -0x1.75d99cf68bb32p-45,
    -0x1.583fe7e65629ap-47, 0x1.12a919094e6d7p-48,  0x1.fee7da3eafb1fp-50,  -0x1.8aee7d908de38p-52,
    -0x1.4600babd21fe4p-52, 0x1.3f3dd076041cdp-55,  0x1.9be1812d98421p-55,  -0x1.646da66119130p-58,
    -0x1.0adb754ca8b19p-57};

// sqrt(x) exp(x) K0(x) in 2 / x
inline constexpr double kK0Far[] = {
    0x1.385bd9f4e6907p+0,  -0x1.019f72d4ff71ep-5,  0x1.9b891fca79342p-10, -0x1.0d797e7889f42p-13,
    0x1.d413fcc7470a9p-17, -0x1.ebb547f18d3a9p-20, 0x1.2915981e3e46fp-22, -0x1.905541b54f2afp-25,
    0x1.269a0033f428ep-27, -0x1.d29d5f22bf5e2p-30, 0x1.8956c819ff63dp-32, -0x1.5df95d2e7ca15p-34,
    0x1.46808475fbf4dp-36, -0x1.3dafc3f00540bp-38, 0x1.40fa32fcce645p-40, -0x1.4f87721a3b2dbp-42,
    0x1.69c4ecd913e48p-44, -0x1.9145ebaf9922fp-46, 0x1.c8d9c4a6808e8p-48, -0x1.0a690ed1130d0p-49,
    0x1.3dbf96cd7929dp-51, -0x1.82f947bd75936p-53, 0x1.e092e5c062a6ap-55, -0x1.2feccb331b557p-56,
    0x1.871a5cf6ebbb5p-58};

// sqrt(x) exp(-x) I1(x) in 8 / x
inline constexpr double kI1Far[] = {
    0x1.8ea18b55b1514p-2,   -0x1.3fda053fcdb4cp-7,  -0x1.cfd7f804aa9a6p-14, -0x1.048df49ca0373p-18,
    -0x1.0dbfd2e9e5443p-22, -0x1.c415394bb46c1p-26, -0x1.0790b9ad53528p-28, -0x1.334ca5423dd80p-31,
    -0x1.4dcf9d4504c0cp-36, 0x1.1e1a1f1587865p-35,  0x1.f101f653c457bp-37,  0x1.1e7d3f6439fa3p-39,
    -0x1.953e1076ab493p-41, -0x1.cbc458e73e255p-42, -0x1.7a9482e6d22a0p-46, 0x1.80d3c26b3281ep-45,
    0x1.776e1762d31e8p-47,  -0x1.12db5138afbc7p-48, -0x1.0efcd8bc4d22ap-49, 0x1.7d68e5f04a2d1p-52,
    0x1.55915fceb588ap-52,  -0x1.2806c9c773320p-55, -0x1.acea3b2532277p-55, 0x1.45b8aea87b950p-58,
    0x1.1556db352e8e6p-57};

// sqrt(x) exp(x) K1(x) in 2 / x
inline constexpr double kK1Far[] = {
    0x1.5c3d7aa062c8ap+0,   0x1.a9abef9e023fbp-4,  -0x1.76946be66b48ap-9,  0x1.9965888f6908ep-13,
    -0x1.44d711dcdb2e5p-16, 0x1.42fe31752d1b6p-19, -0x1.780528fada5c6p-22, 0x1.ed27c668fc461p-25,
    -0x1.637a49fe1e088p-27, 0x1.14f242a73d252p-29, -0x1.ccbc00365cf5fp-32, 0x1.956d008a43059p-34,
    -0x1.76b539401d12cp-36, 0x1.69ab846c05207p-38, -0x1.6adec61fc71a4p-40, 0x1.78ffa0409e616p-42,
    -0x1.94465d4c8014bp-44, 0x1.be3e9590877a3p-46, -0x1.f9d52362a3e00p-48, 0x1.25cedf006519fp-49,
    -0x1.5d2a3d9ce2a50p-51, 0x1.a7d5e4c65543cp-53, -0x1.0661525866f5ap-54, 0x1.4af1aa55c043fp-56,
    -0x1.a8c5d42a4b314p-58};

// K0(x) + log(x / 2) I0(x) in x^2, x up to 2
inline constexpr double kK0Near[] = {
    -0x1.12166e9d2f61fp-2, 0x1.608d881213db9p-2,  0x1.26bf6554a9085p-5,  0x1.4b82e75633d73p-10,
    0x1.7f900fe8cfca0p-16, 0x1.102bce7f95efcp-22, 0x1.05c1367e58a13p-29, 0x1.6c25c475120bep-37,
    0x1.7fb0ac384a073p-45, 0x1.3cee1e6b887dcp-53};

// x (K1(x) - log(x / 2) I1(x)) in x^2, x up to 2
inline constexpr double kK1Near[] = {
    0x1.867a1361008cap-1,   -0x1.69a1b757b0dd4p-2,  -0x1.f637243c1db74p-4,  -0x1.c92939d7d4192p-8,
    -0x1.6ade2e5a3bd02p-13, -0x1.469b32c832e3ap-19, -0x1.7c41d145c31d0p-26, -0x1.3663bb84626cap-33,
    -0x1.77502ddd0e045p-41, -0x1.5dd517a0399e0p-49, -0x1.032283d3cda56p-57};

// J0(x) in x^2, x up to 8
inline constexpr double kJ0Near[] = {
    0x1.4306e1f9314dbp-3,  -0x1.1dd989ce98ea2p-7,  0x1.0f8afb7d3a552p-2,  -0x1.7afa2e9c62a9ep-2,
    0x1.43b8af58b7ffap-3,  -0x1.1dd989ce98ea2p-5,  0x1.3bd46ccab9da0p-8,  -0x1.e300651cd3ae3p-12,
    0x1.104c067d74d17p-15, -0x1.d8f811cd3e853p-20, 0x1.46c4a4b32aa3bp-24, -0x1.703bda6758f6fp-29,
    0x1.593076e904d04p-34, -0x1.1192067e71726p-39, 0x1.73936aa3d0207p-45, -0x1.b5729d242acaep-51,
    0x1.c2c89ea282aaap-57};

// J1(x) / x in x^2, x up to 8
inline constexpr double kJ1Near[] = {
    0x1.4bf5ae47a6150p-4,  -0x1.3119e17fdbffdp-3,  0x1.49b9fb3408e33p-3,  -0x1.52a8c7827daa8p-4,
    0x1.6bf2c1f5f71e1p-6,  -0x1.de030538b55b0p-9,  0x1.a8b56cedfe580p-12, -0x1.11188227a5012p-15,
    0x1.0a8a3a628fc7bp-19, -0x1.98f754605f635p-24, 0x1.fac17c7273311p-29, -0x1.030d00d42d6f4p-33,
    0x1.bcc0916376113p-39, -0x1.453d2b4e985cbp-44, 0x1.9a36afedba862p-50, -0x1.c2dff424052f8p-56};

// Y0(x) - 2 / pi log(x / 2) J0(x) in x^2, x up to 8
inline constexpr double kY0Near[] = {
    0x1.2aa30b02c96c3p-5,   -0x1.1d00e3f66d8abp-2, 0x1.2f27bb1f1965cp-2,   0x1.9273ec4cc2256p-4,
    -0x1.b887fa1efddf1p-4,  0x1.047f7de78a600p-5,  -0x1.5241dfc56884bp-8,  0x1.2047f52400bf2p-11,
    -0x1.604bd5a6f34eep-15, 0x1.46050b95b78e9p-19, -0x1.da97b3e7182b1p-24, 0x1.1772ee181831bp-28,
    -0x1.101c43f522727p-33, 0x1.bdefdb7b2a420p-39, -0x1.37f65d9f56957p-44, 0x1.792fea1881d6ep-50,
    -0x1.8e31f4edecff1p-56};

// x (Y1(x) - 2 / pi log(x / 2) J1(x)) in x^2, x up to 8
inline constexpr double kY1Near[] = {
    -0x1.70beb47618d7ep-1, -0x1.ca69e545e89b9p+0,  -0x1.566637da5f4abp+0, 0x1.ae6b1ed552461p-1,
    0x1.de4a9124acbe4p-3,  -0x1.7d01a7a5703efp-3,  0x1.6e75302cca5aep-5,  -0x1.92a6fe0a2f3dcp-8,
    0x1.29d7883609fa8p-11, -0x1.41bcd87138212p-15, 0x1.0ae145e8f79b0p-19, -0x1.6018f610fdcc0p-24,
    0x1.7b2cf3b5be47cp-29, -0x1.5428fff233cbfp-34, 0x1.026978edeb406p-39, -0x1.5101edb431d70p-45,
    0x1.7d94adfe5cd41p-51, -0x1.7ac7e5f1887fbp-57};

// the part of J0 in phase, in 64 / x^2
inline constexpr double kP0[] = {
    0x1.ffb944543151ep-1,  -0x1.194ac5283c04ap-11, 0x1.9cbe8b7395851p-19, -0x1.bc26938a82ce2p-25,
    0x1.c03a8b38ca73cp-30, -0x1.59ddcc28538a8p-34, 0x1.6baf23642c655p-38, -0x1.e4a709e74825bp-42,
    0x1.85b481672b1eep-45, -0x1.6d432cb7153fep-48, 0x1.84fff80b613c2p-51, -0x1.cdb3179595bbdp-54,
    0x1.2cca86c6338d9p-56};

// x times the part of J0 out of phase, in 64 / x^2
inline constexpr double kQ0[] = {
    -0x1.fdbbf76547cafp-4,  0x1.1ed40c7bf4761p-11, -0x1.8e1017183d060p-18, 0x1.34c3b3f0f3e19p-23,
    -0x1.8fc71e52a5280p-28, 0x1.7334b27ad2886p-32, -0x1.c34f407df8ba4p-36, 0x1.52763be90a889p-39,
    -0x1.2c827d7f6e2d5p-42, 0x1.329f0c1b6c666p-45, -0x1.5fa3147b301c9p-48, 0x1.bd9648f62c6b8p-51,
    -0x1.33cdb710c05d6p-53, 0x1.cab223df72976p-56, -0x1.6d757f20d1676p-58, 0x1.351cf3ac934b3p-60};

// the part of J1 in phase, in 64 / x^2
inline constexpr double kP1[] = {
    0x1.003b2e82f5f12p+0,   0x1.d7545f75d7da9p-11, -0x1.0b9505ce79bbap-18, 0x1.0953cdc0829efp-24,
    -0x1.01454cf5d6ac0p-29, 0x1.83c5742be2cc3p-34, -0x1.9171afe32fc02p-38, 0x1.088a8b6783e50p-41,
    -0x1.a5ead8bea617fp-45, 0x1.88e8192bcb004p-48, -0x1.a045d1e6aa4e8p-51, 0x1.ebf5d803cd896p-54,
    -0x1.3f5b1671b84fbp-56};

// x times the part of J1 out of phase, in 64 / x^2
inline constexpr double kQ1[] = {
    0x1.7f34213492af6p-2,  -0x1.93d0e4fa70662p-11, 0x1.eaa02bf61504bp-18, -0x1.681617e8645adp-23,
    0x1.c467999a69933p-28, -0x1.9c37875f5ebc0p-32, 0x1.eeb91abca8164p-36, -0x1.6f877e53fb185p-39,
    0x1.43f8057a1761fp-42, -0x1.48ac416e30219p-45, 0x1.772d4dd737bf2p-48, -0x1.d994b1fddb9f0p-51,
    0x1.46123a8bbc898p-53, -0x1.e48d4f144b8b2p-56, 0x1.811d207bb2e69p-58};

// Airy from -5 to -2
inline constexpr double kAiryLow[] = {
    0x1.530ca78786146p-5,   -0x1.5991652e72db9p-3,  0x1.4c043fd04fe27p-2,   0x1.c887fdb8c6942p-4,
    -0x1.593b3bd382a79p-4,  -0x1.e14475f2c1c71p-9,  0x1.0876bbf14db55p-7,   -0x1.a38eb12b90cf1p-11,
    -0x1.57cba5eb08c98p-12, 0x1.381a9212c58f4p-14,  0x1.b7913c9a3696fp-19,  -0x1.68f756b02cf2dp-19,
    0x1.b14e56da097efp-23,  0x1.748bbad461e66p-25,  -0x1.2a42f5d450fcep-27, 0x1.ef28c85668256p-37,
    0x1.4957158de079cp-33,  -0x1.eb4910d21a226p-37, -0x1.0838588b44475p-40, 0x1.2f053e8eec864p-42,
    -0x1.8ce9a9fe7c72fp-47, -0x1.3f2560faede50p-49, 0x1.5666db3a133c5p-52,  -0x1.d84bf9df73eb9p-61,
    -0x1.98d336cc639ccp-59};

// Airy from -2 to 2
inline constexpr double kAiryMid[] = {
    0x1.0e264d11ad203p-2,   -0x1.88bd607bd0258p-3,  -0x1.d8ddc713567b7p-4,  0x1.9ee4ac63d91bdp-4,
    -0x1.521236c75050ep-6,  -0x1.58f23593afb59p-8,  0x1.cd8c238b94cc6p-9,   -0x1.2184bc5d249dep-11,
    -0x1.6dd77cc357cdbp-14, 0x1.a33262e94ee69p-15,  -0x1.b9b78d183faa0p-18, -0x1.90d31c8bb3074p-21,
    0x1.9c016a61d23a2p-22,  -0x1.7c56ba983e78ap-25, -0x1.0c1c471028fd4p-28, 0x1.fafae8526f0d6p-30,
    -0x1.a47c10656d97fp-33, -0x1.e37b4419a46ddp-37, 0x1.ab1a51dd5dcb0p-38,  -0x1.43af56a7b0920p-41,
    -0x1.39ba94a63b25bp-45, 0x1.05be3c006d9b5p-46,  -0x1.6ef3b0198c9a6p-50, -0x1.330deeb9fbb58p-54,
    0x1.e7ac41a93a2b0p-56,  -0x1.3f1c5239f6fa4p-59};

// 2 sqrt(pi) x^(1/4) exp(z) Airy(x) in 1.75 / z, z = 2 x^(3/2) / 3
inline constexpr double kAiryRight[] = {
    0x1.f77c3a84f045fp-1,  -0x1.01a53218c53f1p-6,  0x1.af5ace7bb991cp-11, -0x1.2f3ae907ce72fp-14,
    0x1.1b6e0c9b96946p-17, -0x1.4003f78fa8959p-20, 0x1.9ebf57389747fp-23, -0x1.2b0bb1c3d98f2p-25,
    0x1.d60178af7a3edp-28, -0x1.8cb4fe19299b5p-30, 0x1.63c6954884b79p-32, -0x1.503abe96388afp-34,
    0x1.4caec22521179p-36, -0x1.56d7cf7e72d33p-38, 0x1.6e6b517c498fap-40, -0x1.94b47d17be502p-42,
    0x1.cc8d5295e6d44p-44, -0x1.0d50f6d1220e6p-45, 0x1.42ff2726cfb7fp-47, -0x1.8c7c7b8a390f6p-49,
    0x1.f14fce493fe74p-51, -0x1.3e390cc5107cap-52, 0x1.9efb787300e11p-54, -0x1.1365676da2e0bp-55,
    0x1.73a3d70cfd425p-57, -0x1.fd6e21f719270p-59};

// the part of Airy(-x) in phase, in 49 / z^2
inline constexpr double kAiryP[] = {
    0x1.ffcf6db38e4cap-1,  -0x1.81c2fc7823a08p-12, 0x1.600c15a572f36p-19, -0x1.d68d47492e757p-25,
    0x1.22a3e97eb846bp-29, -0x1.0e4bd20a0c4e0p-33, 0x1.51c0576ea7258p-37, -0x1.0827f270f0eb7p-40,
    0x1.ed5da0394e1dbp-44, -0x1.0a138c8c68657p-46, 0x1.43871d1825e72p-49, -0x1.b366c60d139b9p-52,
    0x1.3fb2b28017d61p-54, -0x1.fa90aaa3d4aabp-57};

// z times the part of Airy(-x) out of phase, in 49 / z^2
inline constexpr double kAiryQ[] = {
    0x1.1aec4795a619fp-4,  -0x1.801f07fb24a9ep-12, 0x1.4d95b4d73ae4ap-18, -0x1.40408c758b9ffp-23,
    0x1.f92dde44f64ecp-28, -0x1.196b9f3002104p-31, 0x1.9503c3f9bfd38p-35, -0x1.6359dc07816e7p-38,
    0x1.6d65442e540dcp-41, -0x1.ac078e7998762p-44, 0x1.17a6aee5f5dcep-46, -0x1.911ce1618ee56p-49,
    0x1.37d0c7a51efc5p-51, -0x1.041f117e111afp-53, 0x1.cdf0ce43a7354p-56, -0x1.b1a7eb0ccb8f1p-58,
    0x1.abff82b2cb537p-60, -0x1.b9fd9622f2813p-62};

// AiryPrime from -5 to -2
inline constexpr double kAiryPrimeLow[] = {
    0x1.84a0530917d1cp-4,   0x1.e7a6d56ed57a8p-2,   0x1.a8b117a38325fp-2,   -0x1.8db9d4bcaa36bp-2,
    -0x1.fd6e615436e36p-6,  0x1.f4a92d9575457p-5,   -0x1.b17ffc27aaf5fp-8,  -0x1.c444a4d26253ep-9,
    0x1.bfde945945327p-11,  0x1.880e19bfae32dp-15,  -0x1.44946c2e32466p-15, 0x1.9bfbc9480b50dp-19,
    0x1.93937cd310b69p-21,  -0x1.5528d91fe2e2ap-23, -0x1.f1742cac24abep-36, 0x1.b3fc15f43bc3fp-29,
    -0x1.5490c000c3622p-32, -0x1.9158b9cd19da0p-36, 0x1.db6afa591d904p-38,  -0x1.410d3f0cdbc22p-42,
    -0x1.1754d7a0e668ep-44, 0x1.36af28e6d3b5cp-47,  -0x1.422c556408775p-56, -0x1.979007344b705p-54,
    0x1.04e39ecee294dp-57};

// AiryPrime from -2 to 2
inline constexpr double kAiryPrimeMid[] = {
    0x1.5160ba27fe3fep-5,   -0x1.2c17db56de59bp-2,  0x1.18b6dec7e7a2cp-2,   -0x1.fd47be6998dfcp-5,
    -0x1.e74a282fb321dp-6,  0x1.4db95e4a0f840p-6,   -0x1.c0db29b8bbf6cp-9,  -0x1.8df78bd402a87p-11,
    0x1.ce68ff5220ec3p-12,  -0x1.0100788556d65p-14, -0x1.25f5fe8afae65p-17, 0x1.3123fa9d0f3ebp-18,
    -0x1.264daeaefd153p-21, -0x1.ee8a96273674ap-25, 0x1.d7191d96b59b4p-26,  -0x1.95919caeeb97ep-29,
    -0x1.0c870da4a054bp-32, 0x1.dd4e76d040034p-34,  -0x1.75b22ee01f4aep-37, -0x1.9792a464c08aap-41,
    0x1.55c100e04c4fdp-42,  -0x1.ed2d529ed3710p-46, -0x1.c8ade0438c12dp-50, 0x1.6c37f089bc687p-51,
    -0x1.e93b230647bebp-55, -0x1.8940b52f37d6fp-59, 0x1.2c23ae89450c1p-60};

// 2 sqrt(pi) x^(1/4) exp(z) AiryPrime(x) in 1.75 / z, z = 2 x^(3/2) / 3
inline constexpr double kAiryPrimeRight[] = {
    -0x1.061f56e73f841p+0, -0x1.75d58afb5cf85p-6,  0x1.074cff0753962p-10, -0x1.5d354fce0a9cfp-14,
    0x1.3ccf2aac1041fp-17, -0x1.5f34a40b7d0bfp-20, 0x1.c1839d8350e2dp-23, -0x1.412b0d02c231cp-25,
    0x1.f5426d7b2e8d1p-28, -0x1.a4bf6de0e9af4p-30, 0x1.77a2a3cf16752p-32, -0x1.61aa50af803e6p-34,
    0x1.5cd2390f00d05p-36, -0x1.667db6521273ep-38, 0x1.7e3b2f20fdeeep-40, -0x1.a5490f274e2a0p-42,
    0x1.de87adcc9b106p-44, -0x1.175d517bb1f37p-45, 0x1.4e8c01b9334b2p-47, -0x1.9a1bbed924004p-49,
    0x1.00e1c06491b53p-50, -0x1.48611a2033895p-52, 0x1.abc86c69460bcp-54, -0x1.1b9e8fed6e643p-55,
    0x1.7e65e14203938p-57};

// the part of AiryPrime(-x) in phase, in 49 / z^2
inline constexpr double kAiryPrimeP[] = {
    0x1.001cc08271940p+0,   0x1.c8f7d7443fd6ap-12, -0x1.800831c5f45bfp-19, 0x1.f3b33bdeb3b6fp-25,
    -0x1.3099eb063c323p-29, 0x1.19136be922e68p-33, -0x1.5d68d74d6630dp-37, 0x1.1044a22ff2942p-40,
    -0x1.fb1bdfe597b28p-44, 0x1.10e55524b82b3p-46, -0x1.4b3d7560c6863p-49, 0x1.bd231c8d05b9dp-52,
    -0x1.4672f4a7c802ep-54, 0x1.025c991a889b3p-56};

// z times the part of AiryPrime(-x) out of phase, in 49 / z^2
inline constexpr double kAiryPrimeQ[] = {
    -0x1.8c84c66ee2a47p-4,  0x1.ae59543d3ef4fp-12, -0x1.65da29fb62b0fp-18, 0x1.515b34574d4f8p-23,
    -0x1.07738e84f1a7cp-27, 0x1.23b1ed81566e5p-31, -0x1.a200768ca8d92p-35, 0x1.6d97ce2ddb38bp-38,
    -0x1.7705478ab0d6fp-41, 0x1.b6768a155dd4dp-44, -0x1.1e051ab3bb87dp-46, 0x1.99b6755edcd1cp-49,
    -0x1.3e25e74c84758p-51, 0x1.09268c1951c4ap-53, -0x1.d67ab5629a948p-56, 0x1.b958d2dd2da47p-58,
    -0x1.b34db656789a2p-60, 0x1.c1454db4426a2p-62};

// (1 + 2 x) exp(x^2) erfc(x) in (x - 3) / (x + 3)
inline constexpr double kErfcx[] = {
    0x1.2d74bda92af4ep+0,  0x1.5edf9ce74f65ep-8,   -0x1.801abe05df685p-4,  0x1.bd5ede288613bp-5,
    -0x1.36e99d8ff90f7p-6, 0x1.23dc174a04d86p-8,   -0x1.4c2a11331e0e4p-11, 0x1.285081fb7471ep-16,
    0x1.aee3ed67adcfbp-17, -0x1.0d67d92ebb16fp-19, -0x1.84299dc44cfe1p-23, 0x1.44433d928dccap-24,
    0x1.032a101f63366p-29, -0x1.7304e1f9377d0p-29, -0x1.00dc1e28761e4p-36, 0x1.c7b5541debf46p-34,
    0x1.9f608af23def6p-40, -0x1.2cfdb55efc61bp-38, -0x1.d433281a86cb9p-43, 0x1.985a49637781fp-43,
    0x1.638030f9632e2p-46, -0x1.06936a9e2323bp-47, -0x1.b53df2ab9d8b7p-50, 0x1.0f1968e597de2p-52,
    0x1.cd7350f20ad1ap-54, -0x1.2f98d06214628p-59, -0x1.9dd79d26cbb94p-58};

// lgamma(1 + a) / a, a from 0 to 1
inline constexpr double kLgamma1p[] = {
    -0x1.0f17041ec2ea4p-2,  0x1.24bbdac9db35ep-2,  -0x1.81434814dbbe7p-6,  0x1.5ff0555b49812p-9,
    -0x1.6ebeb73f85ee5p-12, 0x1.996d6c2224405p-15, -0x1.dc5ce01cf1887p-18, 0x1.1cbdf3d39f029p-20,
    -0x1.5af22f885fb51p-23, 0x1.acba35a2a0183p-26, -0x1.0bc76cb6220d1p-28, 0x1.51678f50e551fp-31,
    -0x1.ac25f970601a6p-34, 0x1.11427bc09a165p-36, -0x1.5e91d0698d186p-39, 0x1.c3b6af4d28214p-42,
    -0x1.24212139babeap-44, 0x1.7b1ee879d77e3p-47, -0x1.ed7dfc9ba4725p-50, 0x1.420c0f7e6076fp-52,
    -0x1.a5592e76185ebp-55, 0x1.143dbec7af4b2p-57, -0x1.6af0fb3b384c5p-60};

// Temme's expansion: row k, column n is the coefficient of eta^n in c_k.
inline constexpr double kTemme[14][18] = {
    {-0x1.5555555555555p-2, 0x1.5555555555555p-4, -0x1.e573ac901e574p-7, 0x1.2f684bda12f68p-10,
     0x1.71de3a556c734p-12, -0x1.76e06fec7273bp-13, 0x1.48c5892f7cd83p-15, -0x1.255370652afc1p-19,
     -0x1.f1b22f594c6b5p-20, 0x1.bd6d21e4b4109p-21, -0x1.7b5f9a2d0465cp-23, 0x1.ccf5ceb7f0d9fp-28,
     0x1.6097d55c37c1cp-27, -0x1.2d2197c7a2faap-28, 0x1.f6e66d24d5c8ap-31, -0x1.c0d9b6edf2b0bp-36,
     -0x1.0070a87340428p-34, 0x1.ac9475c463659p-36},
    {-0x1.e573ac901e574p-10, -0x1.c71c71c71c71cp-9, 0x1.5ac056b015ac0p-9, -0x1.0394f6f09e723p-10,
     0x1.af83440e53dbcp-13, -0x1.af83440e53dbcp-22, -0x1.2fa4ae89e5af0p-16, 0x1.00a9cabd6b83ep-17,
     -0x1.b0bdfcc629cbap-20, 0x1.3f59230a8357cp-28, 0x1.280f2cde3f847p-23, -0x1.ee23d0cba8aeep-25,
     0x1.9aa7a30de114cp-27, -0x1.349fbca3a377bp-36, -0x1.1564ecff73d58p-30, 0x1.c9b434bf3c34ep-32,
     -0x1.78a5056f8ce45p-34, 0x1.113e3a466db9ep-44},
    {0x1.0ee643b990ee6p-8, -0x1.5f7268edab4c8p-9, 0x1.948b0fcd6e9e0p-11, 0x1.0db20a88f4696p-19,
     -0x1.c253efaa1a932p-14, 0x1.bbf43daf4fe53p-15, -0x1.ac2d05890f2c3p-17, 0x1.26154ae39151dp-25,
     0x1.7058929663937p-20, -0x1.522cb05171911p-21, 0x1.32ac81c15d3d7p-23, -0x1.c24bd0e740a6cp-33,
     -0x1.e437343a46f5dp-27, 0x1.ac0d455e25360p-28, -0x1.77c5829460139p-30, 0x1.0962774f638bbp-40,
     0x1.1b1056c188672p-33, -0x1.e9778dbc61371p-35},
    {0x1.547d93b34e2b6p-11, 0x1.e13ce465fa859p-13, -0x1.ebfb188b7ca00p-12, 0x1.18b9b5bf2d984p-12,
     -0x1.3d2a3a29b5d9dp-14, -0x1.0152a1871f27ap-22, 0x1.73df462204ef4p-17, -0x1.7cd6f27b3f020p-18,
     0x1.7e0201539310ep-20, -0x1.ea23269c140a7p-36, -0x1.6c2dcffbefeefp-23, 0x1.5bde8ef4c4dc7p-24,
     -0x1.4853ced169327p-26, 0x1.50c3f0dd501ebp-39, 0x1.1b66a39794ba9p-29, -0x1.040c53b2491f0p-30,
     0x1.d9b15465daec1p-33, -0x1.f46057e1c9d1fp-47},
    {-0x1.c3e0b02da7bf9p-11, 0x1.9b0ff6874f2c4p-11, -0x1.3999a85a4237ap-12, -0x1.88f2ae1def9d0p-20,
     0x1.16908b48ce058p-14, -0x1.4ce3fd902bcadp-15, 0x1.7db4c02846e81p-17, 0x1.13b3c5b7cb45ep-32,
     -0x1.c71c074985d3fp-20, 0x1.de37d9f09164cp-21, -0x1.ec676cf33153cp-23, 0x1.041515bab6adap-35,
     0x1.efe94304ac16bp-26, -0x1.e78e449f4e3bep-27, 0x1.d9a9f1a8b7696p-29, -0x1.033ba70791e5ep-42,
     -0x1.b14f212618752p-32, 0x1.9911dbca7ce93p-33},
    {-0x1.6128ac5a4fa71p-12, -0x1.247604839c038p-14, 0x1.22be87360ef1fp-12, -0x1.a2042c5148e27p-13,
     0x1.1d1e9cb24760bp-14, 0x1.30bdcf208080ep-23, -0x1.c823fc1b3cc36p-17, 0x1.0d0e229150428p-17,
     -0x1.338eb19652fd9p-19, -0x1.659cfde0bb2ebp-32, 0x1.741504e5c87c2p-22, -0x1.8c267becd0c0fp-23,
     0x1.9e630225a095bp-25, -0x1.4411c5ac40e35p-46, -0x1.b15bbf334c8c3p-28, 0x1.b2a3adb58623dp-29,
     -0x1.af0f32d677057p-31, 0x1.762c060bd9bdap-48},
    {0x1.168ef1b0931c8p-11, -0x1.36773bdb97b48p-11, 0x1.1c0950d3ecb9dp-12, 0x1.a8411da6cab49p-21,
     -0x1.5600945495b37p-14, 0x1.d6bdf83130dc1p-15, -0x1.3382f4cf48618p-16, -0x1.a74243fa27729p-29,
     0x1.d115d4f5dcc68p-19, -0x1.10587854fcb37p-19, 0x1.36c8903447d35p-21, 0x1.074e709bf4b8bp-42,
     -0x1.7b2f7de505322p-24, 0x1.9778c6d79bcc1p-25, -0x1.af0ea334cc20ep-27, 0x1.858ba968e7d04p-44,
     0x1.cf0f99fa070bcp-30, -0x1.d77155071f99bp-31},
    {0x1.691879c01efb4p-12, 0x1.b1d75d3346711p-15, -0x1.5f3385098cebfp-12, 0x1.26eeb5ece1d9fp-12,
     -0x1.cc642787368cep-14, -0x1.119c70312e0a2p-23, 0x1.d179830b113abp-16, -0x1.3269164e3e304p-16,
     0x1.8467d794bd7f2p-18, 0x1.0f82da50cdaeep-31, -0x1.1c6acec59f442p-20, 0x1.4b12ad51452d5p-21,
     -0x1.7929779607d63p-23, -0x1.6d32eed259534p-40, 0x1.cf11fbdf49e99p-26, -0x1.f4e88c5d1cae1p-27,
     0x1.0b2830e4dfce1p-28, -0x1.65f59322ddf56p-55},
    {-0x1.5629b3187b744p-11, 0x1.b8239c670e690p-11, -0x1.cb967b4446107p-12, -0x1.762676b30cfd6p-21,
     0x1.5d1157082916dp-13, -0x1.0c16fcea7ddb2p-13, 0x1.84637d3f583cdp-15, 0x1.3937992ec9b02p-28,
     -0x1.6384af9ac219dp-17, 0x1.c738f198ab550p-18, -0x1.1adec9530a7adp-19, -0x1.2ed3c124b7492p-36,
     0x1.952f970ac9b03p-22, -0x1.d599e3b2187a2p-23, 0x1.0b282393d4893p-24, 0x1.7c54ec550bd4bp-51,
     -0x1.4985ee872fc56p-27, 0x1.663fd6d84752ep-28},
    {-0x1.38dff1cc96982p-11, -0x1.2e31f9b7913eap-14, 0x1.63969bb825829p-11, -0x1.4f9f2582dd0a5p-11,
     0x1.22fb20c28e8a0p-12, 0x1.86c71c8cebf16p-23, -0x1.63a803aebc9b7p-14, 0x1.00120036172b0p-14,
     -0x1.618fcc48d37bcp-16, -0x1.e7018e8be3330p-31, 0x1.2fe63d892e1a9p-18, -0x1.7d8d3a891d8bap-19,
     0x1.d3850f27b27e8p-21, 0x1.03901807110d2p-38, -0x1.49865a9b6fd04p-23, 0x1.7ca3da4d350cep-24,
     -0x1.b0abf9d310d85p-26, -0x1.706d644652279p-47},
    {0x1.5d4ae684527bfp-10, -0x1.f5dbcaf756cdep-10, 0x1.22b37f1b46951p-10, 0x1.0a9ef61e90004p-20,
     -0x1.0aba998a532bfp-11, 0x1.c01c0b52c3345p-12, -0x1.618e482f9d229p-13, -0x1.1759e6f571329p-27,
     0x1.7bdf837b4e130p-15, -0x1.0650f761692a2p-15, 0x1.5ea3af60786b1p-17, 0x1.aa0a6ef89a12ap-35,
     -0x1.205588c7220b7p-19, 0x1.64d9971a80133p-20, -0x1.b0abf52fc4d58p-22, -0x1.8b97eb7553f43p-43,
     0x1.2d454a640f7f8p-24, -0x1.5b19dcac0a663p-25},
    {0x1.9e1dba8ec5904p-10, 0x1.54d241144693fp-13, -0x1.0e7245b5e0240p-9, 0x1.185be08721041p-9,
     -0x1.08fd64cc4d9d6p-10, -0x1.ac8f35a61360fp-22, 0x1.7bf3a7a227118p-12, -0x1.271c35d1a742ap-12,
     0x1.b648cb8b91d61p-14, 0x1.23870b487d429p-29, -0x1.b081c1069b36ap-16, 0x1.21f0d8e42b54dp-16,
     -0x1.7a962022d07b2p-18, -0x1.83e23f727e2fep-37, 0x1.2d456933154b0p-20, -0x1.70cb7c2ec0c52p-21,
     0x1.bb865efbb7c49p-23, 0x1.a4c4ee6f7598ap-45},
    {-0x1.0ae56a5daa127p-8, 0x1.a3a699f4a401bp-8, -0x1.08d50006f5e0ep-8, -0x1.25187cdea1eeap-19,
     0x1.1cf4d14eb1812p-9, -0x1.0237b58c76530p-9, 0x1.b647f0b161ed3p-11, 0x1.4e11fb9ab4d6ep-26,
     -0x1.0e5103ef55b59p-12, 0x1.8eab17b1a5667p-13, -0x1.1bf09035d225dp-14, -0x1.3d8d849a65517p-33,
     0x1.079cba3747641p-16, -0x1.59bec2daecc92p-17, 0x1.bb865dacf43bap-19, 0x1.c166cf2213dbep-41,
     -0x1.581f5664ec1e3p-21, 0x1.a1a0baff44abep-22},
    {-0x1.85c7ccbc5fc12p-8, -0x1.1b33b019b3e6fp-11, 0x1.2010998f1553ap-7, -0x1.4303ce949bb43p-7,
     0x1.48900f8e29435p-8, 0x1.57cc9e9a6596fp-20, -0x1.0e596fb46b154p-9, 0x1.c0816b1314cf1p-10,
     -0x1.62eb1c560282dp-11, -0x1.da3e6523aaa76p-28, 0x1.8b6bb2cc02754p-13, -0x1.18eb043924ff5p-13,
     0x1.84156dd77628dp-15, 0x1.602512b27e94cp-35, -0x1.581f634675d03p-17, 0x1.bbbac7672b130p-18,
     -0x1.18b098b674d56p-19, -0x1.d7cac376be549p-43},
};

}  // namespace kagari::scalar::series
