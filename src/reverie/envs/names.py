"""Names of the tasks of each suite, as data: nothing here imports a simulator.

Tests compare every list with the installed simulator.
"""
# ruff: noqa: SIM905 (three hundred quoted names would be harder to read)

import functools as ft

ATARI_GAMES = """
adventure air_raid alien amidar assault asterix asteroids atlantis atlantis2 backgammon
bank_heist basic_math battle_zone beam_rider berzerk blackjack bowling boxing breakout
carnival casino centipede chopper_command crazy_climber crossbow darkchambers defender
demon_attack donkey_kong double_dunk earthworld elevator_action enduro entombed et
fishing_derby flag_capture freeway frogger frostbite galaxian gopher gravitar hangman
haunted_house hero human_cannonball ice_hockey jamesbond journey_escape kaboom kangaroo
keystone_kapers king_kong klax koolaid krull kung_fu_master laser_gates lost_luggage
mario_bros miniature_golf montezuma_revenge mr_do ms_pacman name_this_game othello pacman
phoenix pitfall pitfall2 pong pooyan private_eye qbert riverraid road_runner robotank seaquest
sir_lancelot skiing solaris space_invaders space_war star_gunner superman surround tennis
tetris tic_tac_toe_3d time_pilot trondead turmoil tutankham up_n_down venture video_checkers
video_chess video_cube video_pinball wizard_of_wor word_zapper yars_revenge zaxxon
""".split()
"""Games that ale-py can play, in its spelling; four of its ROMs are for two and not listed."""

ATARI57_GAMES = """
alien amidar assault asterix asteroids atlantis bank_heist battle_zone beam_rider berzerk bowling
boxing breakout centipede chopper_command crazy_climber defender demon_attack double_dunk enduro
fishing_derby freeway frostbite gopher gravitar hero ice_hockey jamesbond kangaroo krull
kung_fu_master montezuma_revenge ms_pacman name_this_game phoenix pitfall pong private_eye qbert
riverraid road_runner robotank seaquest skiing solaris space_invaders star_gunner surround tennis
time_pilot tutankham up_n_down venture video_pinball wizard_of_wor yars_revenge zaxxon
""".split()
"""The 57 games of the 200M benchmark."""

ATARI100K_GAMES = """
alien amidar assault asterix bank_heist battle_zone boxing breakout chopper_command
crazy_climber demon_attack freeway frostbite gopher hero jamesbond kangaroo krull
kung_fu_master ms_pacman pong private_eye qbert road_runner seaquest up_n_down
""".split()
"""The 26 games of the Atari100k benchmark."""

DMC_TASKS = """
acrobot_swingup acrobot_swingup_sparse ball_in_cup_catch cartpole_balance
cartpole_balance_sparse cartpole_swingup cartpole_swingup_sparse cartpole_two_poles
cartpole_three_poles cheetah_run dog_stand dog_walk dog_trot dog_run dog_fetch finger_spin
finger_turn_easy finger_turn_hard fish_upright fish_swim hopper_stand hopper_hop
humanoid_stand humanoid_walk humanoid_run humanoid_run_pure_state humanoid_CMU_stand
humanoid_CMU_walk humanoid_CMU_run lqr_lqr_2_1 lqr_lqr_6_2 manipulator_bring_ball
manipulator_bring_peg manipulator_insert_ball manipulator_insert_peg pendulum_swingup
point_mass_easy point_mass_hard quadruped_walk quadruped_run quadruped_escape quadruped_fetch
reacher_easy reacher_hard stacker_stack_2 stacker_stack_4 swimmer_swimmer6 swimmer_swimmer15
walker_stand walker_walk walker_run
""".split()
"""DM Control tasks as domain_task."""

MANIP_TASKS = """
stack_2_bricks stack_2_bricks_moveable_base stack_3_bricks stack_3_bricks_random_order
stack_2_of_3_bricks_random_order reassemble_3_bricks_fixed_order reassemble_5_bricks_random_order
lift_brick lift_large_box place_brick place_cradle reach_duplo reach_site
""".split()
"""DM Control's manipulation tasks without `_features` and `_vision`."""

REMASTERED_TASKS = """
ball_in_cup_catch cartpole_balance cartpole_balance_sparse cartpole_swingup
cartpole_swingup_sparse cheetah_run finger_spin finger_turn_easy finger_turn_hard fish_upright
fish_swim hopper_hop hopper_stand humanoid_stand humanoid_walk humanoid_run pendulum_swingup
reacher_easy reacher_hard walker_stand walker_walk walker_run
""".split()
"""DM Control tasks that DMC-Remastered knows."""

MINIGRID_IDS = """
BlockedUnlockPickup LavaCrossingS9N1 LavaCrossingS9N2 LavaCrossingS9N3 LavaCrossingS11N5
SimpleCrossingS9N1 SimpleCrossingS9N2 SimpleCrossingS9N3 SimpleCrossingS11N5 DistShift1
DistShift2 DoorKey-5x5 DoorKey-6x6 DoorKey-8x8 DoorKey-16x16 Dynamic-Obstacles-5x5
Dynamic-Obstacles-Random-5x5 Dynamic-Obstacles-6x6 Dynamic-Obstacles-Random-6x6
Dynamic-Obstacles-8x8 Dynamic-Obstacles-16x16 Empty-5x5 Empty-Random-5x5 Empty-6x6
Empty-Random-6x6 Empty-8x8 Empty-16x16 Fetch-5x5-N2 Fetch-6x6-N2 Fetch-8x8-N3 FourRooms
GoToDoor-5x5 GoToDoor-6x6 GoToDoor-8x8 GoToObject-6x6-N2 GoToObject-8x8-N2 KeyCorridorS3R1
KeyCorridorS3R2 KeyCorridorS3R3 KeyCorridorS4R3 KeyCorridorS5R3 KeyCorridorS6R3 LavaGapS5
LavaGapS6 LavaGapS7 LockedRoom MemoryS17Random MemoryS13Random MemoryS13 MemoryS11 MemoryS9
MemoryS7 MultiRoom-N2-S4 MultiRoom-N4-S5 MultiRoom-N4-S5-v1 MultiRoom-N6 ObstructedMaze-1Dl
ObstructedMaze-1Dlh ObstructedMaze-1Dlhb ObstructedMaze-2Dl ObstructedMaze-2Dlh
ObstructedMaze-2Dlhb ObstructedMaze-1Q ObstructedMaze-2Q ObstructedMaze-Full
ObstructedMaze-2Dlhb-v1 ObstructedMaze-1Q-v1 ObstructedMaze-2Q-v1 ObstructedMaze-Full-v1
Playground PutNear-6x6-N2 PutNear-8x8-N3 RedBlueDoors-6x6 RedBlueDoors-8x8 Unlock UnlockPickup
WFC-MazeSimple WFC-DungeonMazeScaled WFC-RoomsFabric WFC-ObstaclesBlackdots
WFC-ObstaclesAngular WFC-ObstaclesHogs3
""".split()
"""MiniGrid ids without `MiniGrid-` and `-v0` (other versions keep theirs)."""

BABYAI_IDS = """
GoToRedBallGrey GoToRedBall GoToRedBallNoDists GoToObj GoToObjS4 GoToObjS6-v1 GoToLocal
GoToLocalS5N2 GoToLocalS6N2 GoToLocalS6N3 GoToLocalS6N4 GoToLocalS7N4 GoToLocalS7N5
GoToLocalS8N2 GoToLocalS8N3 GoToLocalS8N4 GoToLocalS8N5 GoToLocalS8N6 GoToLocalS8N7 GoTo
GoToOpen GoToObjMaze GoToObjMazeOpen GoToObjMazeS4R2 GoToObjMazeS4 GoToObjMazeS5 GoToObjMazeS6
GoToObjMazeS7 GoToImpUnlock GoToSeq GoToSeqS5R2 GoToRedBlueBall GoToDoor GoToObjDoor Open
OpenRedDoor OpenDoor OpenDoorDebug OpenDoorColor OpenDoorLoc OpenTwoDoors OpenRedBlueDoors
OpenRedBlueDoorsDebug OpenDoorsOrderN2 OpenDoorsOrderN4 OpenDoorsOrderN2Debug
OpenDoorsOrderN4Debug Pickup UnblockPickup PickupLoc PickupDist PickupDistDebug PickupAbove
PutNextLocal PutNextLocalS5N3 PutNextLocalS6N4 PutNextS4N1 PutNextS5N2 PutNextS5N1 PutNextS6N3
PutNextS7N4 PutNextS5N2Carrying PutNextS6N3Carrying PutNextS7N4Carrying Unlock UnlockLocal
UnlockLocalDist KeyInBox UnlockPickup UnlockPickupDist BlockedUnlockPickup UnlockToUnlock
ActionObjDoor FindObjS5 FindObjS6 FindObjS7 KeyCorridor KeyCorridorS3R1 KeyCorridorS3R2
KeyCorridorS3R3 KeyCorridorS4R3 KeyCorridorS5R3 KeyCorridorS6R3 OneRoomS8 OneRoomS12
OneRoomS16 OneRoomS20 MoveTwoAcrossS5N2 MoveTwoAcrossS8N9 Synth SynthS5R2 SynthLoc SynthSeq
MiniBossLevel BossLevel BossLevelNoUnlock
""".split()
"""BabyAI ids without `BabyAI-` and `-v0` (other versions keep theirs)."""

MISSION_WORDS = """
, a after and at ball behind blue box door fetch from front get go goal green grey in key left
match matching must near next object of on open opposite pick purple put red right room the then
to unlock up use yellow you your
""".split()
"""Words of MiniGrid's and BabyAI's missions."""


def dmc_names() -> list[str]:
    """The suite's tasks and those of manipulation, which begin with `manip_`."""
    return [*DMC_TASKS, *(f"manip_{name}" for name in MANIP_TASKS)]


@ft.cache
def minigrid_ids() -> dict[str, str]:
    """Our name -> Gymnasium id, for MiniGrid and BabyAI.

    The name is the id in lower case with "_" for "-", without `MiniGrid-` and `-v0`; BabyAI names
    begin with `babyai_`, and versions other than 0 keep their `_v1`.
    """
    pairs = [("", "MiniGrid-", stem) for stem in MINIGRID_IDS]
    pairs += [("babyai_", "BabyAI-", stem) for stem in BABYAI_IDS]
    return {
        ours + stem.lower().replace("-", "_"): theirs + stem + ("" if _versioned(stem) else "-v0")
        for ours, theirs, stem in pairs
    }


def _versioned(stem: str) -> bool:
    return stem[-3:-1] == "-v" and stem[-1].isdigit()


LONG_ROOMS = (
    *("obstructedmaze", "keycorridor", "lockedroom", "fourrooms", "playground"),
    *("gotoobjmaze", "gotoseq", "synth", "bosslevel"),
)
"""Words in the names of MiniGrid's tasks of many rooms or many errands, also where others build
them again."""
